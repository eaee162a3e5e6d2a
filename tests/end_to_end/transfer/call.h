// One call to the gateway as its protocol has it, without the client library's help: the caller may
// leave at any moment, and what was heard is judged by the protocol's own words.
#ifndef EMSDB_TESTS_END_TO_END_TRANSFER_CALL_H_
#define EMSDB_TESTS_END_TO_END_TRANSFER_CALL_H_

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <optional>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "client/cancel.h"

namespace emsdb::transfer {

// How long a caller waits, and whether it goes away before that, without a word to the gateway.
struct Patience {
  std::chrono::microseconds deadline = std::chrono::seconds(20);
  std::optional<std::chrono::microseconds> leaves_after = std::nullopt;
};

// What is known of the work of a call, or of a transaction, when it is over.
enum class Fate {
  kDone,
  kNothing,   // the gateway says that nothing was done
  kUnknown,   // the gateway says that nobody knows
  kNoAnswer,  // the caller left first, and knows nothing
};

const char* NameOf(Fate fate);

struct Answer {
  absl::Status status;
  std::string token = {};  // of the commit; came before it left

  Fate fate() const;
  bool heard() const { return fate() != Fate::kNoAnswer; }
};

Answer AnswerFrom(const grpc::Status& status, const grpc::ClientContext& context);

// Cancels a call from a thread of its own. The context must outlive it.
class Departure {
 public:
  Departure(grpc::ClientContext& context, const Patience& patience);
  ~Departure();
  Departure(const Departure&) = delete;
  Departure& operator=(const Departure&) = delete;

 private:
  client::CancelSource stays_;
  std::thread leaving_;
};

template <typename Stub, typename Request, typename Response>
Answer Ask(Stub& stub,
           grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
           const Request& request, Response& response, const Patience& patience) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + patience.deadline);
  context.AddMetadata("emsdb-caller", "teller");
  const Departure departure(context, patience);
  return AnswerFrom((stub.*method)(&context, request, &response), context);
}

}  // namespace emsdb::transfer

#endif  // EMSDB_TESTS_END_TO_END_TRANSFER_CALL_H_
