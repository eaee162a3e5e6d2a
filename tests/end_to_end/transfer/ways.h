// The gateway's ways to write several rows as one, each as a caller without a library would go it.
#ifndef EMSDB_TESTS_END_TO_END_TRANSFER_WAYS_H_
#define EMSDB_TESTS_END_TO_END_TRANSFER_WAYS_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>

#include "emsdb/v1/query_service.grpc.pb.h"
#include "emsdb/v1/transaction_service.grpc.pb.h"
#include "tests/end_to_end/transfer/call.h"
#include "tests/end_to_end/transfer/order.h"

namespace emsdb::transfer {

// What came of one attempt. `answer` is that of the call that committed, or of the one that failed;
// `fate` may know more than it: what was never asked to commit is not done.
struct Verdict {
  Fate fate = Fate::kNothing;
  Answer answer;
  bool impatient = false;  // some call was left by its caller
};

// One caller's. Used by one thread.
class Ways {
 public:
  Ways(const std::shared_ptr<grpc::Channel>& channel, Engine engine, std::uint64_t seed);

  Verdict Go(Way way, const Order& order);

  // Of a commit that was heard nothing good of. Asks until it is decided, for `patience`; unset if
  // it cannot be told.
  std::optional<v1::CommitOutcome> Resolve(const std::string& token, std::chrono::seconds patience);

  int Below(int bound) { return static_cast<int>(random_() % static_cast<unsigned>(bound)); }

 private:
  Verdict ByBatch(const Order& order);
  Verdict ByLease(const Order& order, Way way);
  Verdict ByStream(const Order& order);
  Verdict InOneCall(const Order& order, Way way);

  // Begins a transaction: by a call of its own, or with the first statement. "" and the answer.
  std::string Begin(const v1::Statement& first, bool& first_is_done, Answer& answer);
  // A numbered call: where its answer does not come it is repeated, and may not run twice.
  template <typename Call>
  Answer Persist(Call call);
  Verdict GivenUp(const std::string& id, const Answer& answer);

  Patience SomePatience();
  void FillOptions(v1::TransactionOptions& options);

  const Engine engine_;
  std::mt19937_64 random_;
  const std::unique_ptr<v1::QueryService::Stub> queries_;
  const std::unique_ptr<v1::TransactionService::Stub> transactions_;
  bool impatient_ = false;  // some call of the present attempt was left
};

}  // namespace emsdb::transfer

#endif  // EMSDB_TESTS_END_TO_END_TRANSFER_WAYS_H_
