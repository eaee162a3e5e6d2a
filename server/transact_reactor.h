// The wire's side of Transact: one request is read, run and answered, then the next one is read. So
// there is never more than one response on its way, and nothing is buffered for a slow reader.
//
// The transaction itself is one of Transactions, under an id that nobody is told: its idle and
// total times, its end by a drain and its place in the metrics are those of every other. Between
// requests it holds its connection and no thread but that connection's own, which sleeps.
#ifndef EMSDB_SERVER_TRANSACT_REACTOR_H_
#define EMSDB_SERVER_TRANSACT_REACTOR_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <memory>
#include <optional>
#include <string>

#include "emsdb/v1/transaction_service.pb.h"
#include "server/idle_streams.h"
#include "server/reactors.h"
#include "server/timer.h"
#include "server/transact_call.h"

namespace emsdb {

// Made when a stream comes; holds itself until gRPC is done with it, and is held by its running
// call beyond that. However the stream ends, its transaction is given up first and what runs in it
// is told to stop, then the stream is finished. Any thread.
class TransactReactor final
    : public grpc::ServerBidiReactor<v1::TransactRequest, v1::TransactResponse>,
      public CommitAnnouncer,
      public std::enable_shared_from_this<TransactReactor> {
 public:
  static TransactReactor* Serve(Gateway& gateway, IdleStreams& waiting,
                                grpc::CallbackServerContext& context);

  // For the running call, in the worker's thread, until it is answered.
  v1::TransactResponse& response() { return response_; }
  ResultShare& result_share() { return result_share_; }
  void Begun(const std::string& id);
  // Sends `committing`, and waits until it is on its way: a commit that nobody could ask for must
  // not leave. Not OK: it was not sent, the caller left or does not read.
  absl::Status Announce(const std::string& token, const Bounds& bounds) override;
  // A statement missed its `expect_rows`: for the database all is well, for us it has failed.
  bool rows_mismatched() const { return rows_mismatched_; }
  void SetRowsMismatched(bool mismatched) { rows_mismatched_ = mismatched; }

  // The running call has ended.
  void Answered(TransactKind kind, absl::Status status, Duration elapsed);

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  // What the stream is about.
  enum class Phase {
    kReading,  // waits for the caller's next request
    kRunning,  // a call is under way, which will be answered
    kWriting,  // an answer is on its way
    kEnded     // gRPC was told so: nothing may be started any more
  };

  TransactReactor(Gateway& gateway, IdleStreams& waiting, OpenCalls::Entry entry,
                  grpc::CallbackServerContext& context)
      : gateway_(gateway),
        waiting_(waiting),
        context_(context),
        entry_(std::move(entry)),
        result_share_(gateway.result_memory) {}

  absl::Status Admitted();
  void AwaitBegin();
  void StartRequest();
  void StartBegin();
  void StartTask(TransactTask task);

  // The transaction has ended by itself.
  void TransactionEnded(const absl::Status& why);
  void EndWith(const absl::Status& status);
  void EndUnlessBegun(const absl::Status& status);
  void CutSlowReader(std::uint64_t write);

  // With the lock: gRPC must not be given something to write behind its end, and runs no callback
  // inside these calls.
  void Read() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Write() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void WriteLast(const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void End(const absl::Status& status, Duration elapsed = {}) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void CutAfter(Duration patience) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status WhyEnded(absl::Status status) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  void GiveUpTransaction();
  bool DeadlineIsOver() const;
  absl::Status AtDeadline(const absl::Status& status) const;

  Gateway& gateway_;
  IdleStreams& waiting_;
  grpc::CallbackServerContext& context_;
  const OpenCalls::Entry entry_;
  CallBasics basics_{.rpc = "Transact", .database = {}, .caller = {}, .options = {}};
  v1::TransactRequest request_;    // gRPC's while kReading
  v1::TransactResponse response_;  // the call's while kRunning, gRPC's while kWriting
  ResultShare result_share_;       // as the response
  bool rows_mismatched_ = false;   // the worker's

  Mutex mutex_;
  std::shared_ptr<TransactReactor> self_ ABSL_GUARDED_BY(mutex_);
  Phase phase_ ABSL_GUARDED_BY(mutex_) = Phase::kReading;
  std::string id_ ABSL_GUARDED_BY(mutex_);  // of the transaction, once it has begun
  std::shared_ptr<Call> call_ ABSL_GUARDED_BY(mutex_);
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  bool done_ ABSL_GUARDED_BY(mutex_) = false;
  std::optional<absl::Status> ended_ ABSL_GUARDED_BY(mutex_);  // why, while a call was running
  enum class Sending { kNothing, kUnderWay, kDone, kFailed };
  Sending sending_ ABSL_GUARDED_BY(mutex_) = Sending::kNothing;  // of `committing`
  CondVar sent_;
  std::uint64_t writes_ ABSL_GUARDED_BY(mutex_) = 0;
  Timer patience_ ABSL_GUARDED_BY(mutex_);  // with a caller who does not begin, or does not read
  Timer cut_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace emsdb

#endif  // EMSDB_SERVER_TRANSACT_REACTOR_H_
