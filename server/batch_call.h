// ExecuteBatch: several statements as one transaction.
#ifndef EMSDB_SERVER_BATCH_CALL_H_
#define EMSDB_SERVER_BATCH_CALL_H_

#include <deque>
#include <vector>

#include "emsdb/v1/query_service.pb.h"
#include "server/batch_course.h"
#include "server/reactors.h"
#include "server/result_sink.h"

namespace emsdb {

// What an ExecuteBatchRequest asks for.
struct Batch {
  std::vector<GuardedStatement> statements;
  TransactionOptions options;
};

absl::StatusOr<Batch> ToBatch(const v1::ExecuteBatchRequest& request);

// Run again after a conflict with another transaction, and asked about when its commit's answer was
// lost: BatchCourse says when.
class BatchCall final : public UnaryCall<v1::ExecuteBatchResponse>,
                        private BatchSink,
                        private GroupedRead {
 public:
  BatchCall(Gateway& gateway, CallBasics basics, UnaryReactor& reactor,
            v1::ExecuteBatchResponse& response, Batch batch);

 protected:
  absl::Status Run(Connection& connection, const Bounds& bounds, Lease& lease) override;
  Grouping grouping(Pool& pool) override;
  GroupedRead* grouped_read() override;
  void StartOver() override;
  bool GoesOn(const absl::Status& status) override;
  void Finish(absl::Status status, const CallTimes& times) override;
  Fields BoundValues(const absl::Status& status) const override;

 private:
  // In a group.
  const Statement& statement() const override { return batch_.statements.front().statement; }
  std::string_view identity() const override { return basics().caller.name; }
  Duration time_limit() const override { return time_limit_; }
  Instant deadline() const override { return options().deadline; }
  RowSink& sink() override { return sinks_.front(); }
  std::optional<GroupedBatch> batch() override { return {{batch_.statements, this}}; }
  void Ended(absl::StatusOr<Completion> result, Duration took) override;

  absl::Status Execute(Connection& connection, const RunOptions& run, const Bounds& bounds);
  bool HasOnlySelected() const;
  void DropResults();
  void ForgetResults();
  void SpeakInTime();
  RowSink& Rows(std::size_t statement) override { return sinks_[statement]; }
  void Completed(std::size_t statement, const Completion& completion) override;

  const Batch batch_;
  BatchCourse course_;
  TokenWitness witness_;
  ResultShare share_;
  ResultBudget budget_;
  std::deque<ResultSink> sinks_;
  ProvenReads* proven_ = nullptr;  // where it may be served in a group one day
  ProvenReads::Key key_;
  Duration time_limit_{};
};

}  // namespace emsdb

#endif  // EMSDB_SERVER_BATCH_CALL_H_
