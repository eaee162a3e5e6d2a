// One statement with all its rows: Query in its forms, by itself, inside a transaction, as the
// first of one, and as the last.
#ifndef EMSDB_SERVER_STATEMENT_CALL_H_
#define EMSDB_SERVER_STATEMENT_CALL_H_

#include <optional>
#include <string>

#include "emsdb/v1/query_service.pb.h"
#include "server/bound_values.h"
#include "server/reactors.h"
#include "server/result_sink.h"

namespace emsdb {

// How a transaction is to begin.
struct Beginning {
  TransactionOptions options;
  TransactionTerms terms;
};

// The transaction that a call began. Where the caller left before it can have heard the id, nobody
// will ever end it.
struct BegunTransaction {
  std::string id;  // empty: none

  void Abandon(Gateway& gateway) const {
    if (!id.empty()) gateway.pools.transactions().Abandon(id);
  }
};

absl::StatusOr<Beginning> ToBeginning(const v1::TransactionOptions& options,
                                      const CallBasics& basics, std::string_view field);

class StatementCall final : public UnaryCall<v1::QueryResponse>, private GroupedRead {
 public:
  struct Work {
    Statement statement;
    Access access = Access::kReadWrite;
    std::uint32_t max_rows = 0;          // 0: the most there can be
    std::optional<Beginning> beginning;  // set: the statement is the first of a transaction
    TransactionStep step = TransactionStep::kStatement;
    CommitNaming naming = CommitNaming::kNone;
    Wrapping wrapping = Wrapping::kTransaction;
    bool by_itself = false;  // in no transaction but its own, and nothing is asked of its commit
  };

  StatementCall(Gateway& gateway, CallBasics basics, UnaryReactor& reactor,
                grpc::CallbackServerContext& context, v1::QueryResponse& response, Work work);

 protected:
  absl::Status Run(Connection& connection, const Bounds& bounds, Lease& lease) override;
  void Finish(absl::Status status, const CallTimes& times) override;
  void LeftAfterAnswer() override { begun_.Abandon(gateway()); }
  Grouping grouping(Pool& pool) override;
  GroupedRead* grouped_read() override { return this; }
  void StartOver() override;
  Fields BoundValues(const absl::Status&) const override {
    return ShownValues(work_.statement.parameters);
  }

 private:
  const Statement& statement() const override { return work_.statement; }
  std::string_view identity() const override { return basics().caller.name; }
  Duration time_limit() const override { return time_limit_; }
  Instant deadline() const override { return options().deadline; }
  RowSink& sink() override { return sink_; }
  void Ended(absl::StatusOr<Completion> result, Duration took) override;

  absl::StatusOr<Completion> Execute(Connection& connection, const RunOptions& run,
                                     const Bounds& bounds);
  absl::StatusOr<Completion> ExecuteInGroup(Connection& connection, const Bounds& bounds);
  void Learn(const absl::StatusOr<Completion>& result, Duration took);
  void Take(const Completion& completion);
  ResultBudget Budget();
  absl::Status CommitOrRollBack(Connection& connection, const Bounds& bounds,
                                const absl::Status& ran, TokenWitness& witness);

  grpc::CallbackServerContext& context_;
  Work work_;
  BegunTransaction begun_;
  ResultShare share_;
  ResultBudget budget_;
  ResultSink sink_;
  ProvenReads* proven_ = nullptr;  // where it may be served in a group one day
  ProvenReads::Key key_;
  Duration time_limit_{};  // in a group; zero: it runs by itself
};

}  // namespace emsdb

#endif  // EMSDB_SERVER_STATEMENT_CALL_H_
