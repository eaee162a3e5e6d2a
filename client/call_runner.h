// How every call is made: with a deadline, repeated where that is harmless, and with an error that
// says the truth about what may have been done.
#ifndef EMSDB_CLIENT_CALL_RUNNER_H_
#define EMSDB_CLIENT_CALL_RUNNER_H_

#include <memory>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "client/clock.h"
#include "client/options.h"
#include "client/outcome.h"
#include "client/retry.h"
#include "client/transport.h"

namespace emsdb::client {

struct CallRules {
  Repeat repeat = Repeat::kNever;
  Effect effect = Effect::kMayWrite;
};

// Shared by a client and its transactions; safe for any number of threads.
class CallRunner {
 public:
  CallRunner(std::shared_ptr<Transport> transport, Duration default_deadline, RetryPolicy retry,
             Clock& clock)
      : transport_(std::move(transport)),
        default_deadline_(default_deadline),
        retry_(retry),
        clock_(clock) {}

  Transport& transport() const { return *transport_; }

  // `attempt` takes a CallContext and gives a StatusOr<T>; it is made once or more often.
  template <typename Attempt>
  auto Run(const CallOptions& options, CallRules rules, Attempt attempt) const
      -> decltype(attempt(CallContext())) {
    const CallContext context = ContextFor(options);
    for (int made = 0;; ++made) {
      if (absl::Status status = CheckBeforeSending(context); !status.ok()) return status;
      auto answer = attempt(context);
      if (answer.ok()) return answer;
      if (!WaitToRepeat(answer.status(), rules.repeat, made + 1, context)) {
        return WithOutcome(answer.status(), rules.effect);
      }
    }
  }

 private:
  CallContext ContextFor(const CallOptions& options) const;
  absl::Status CheckBeforeSending(const CallContext& context) const;
  bool WaitToRepeat(const absl::Status& status, Repeat repeat, int made,
                    const CallContext& context) const;

  const std::shared_ptr<Transport> transport_;
  const Duration default_deadline_;
  const RetryPolicy retry_;
  Clock& clock_;
};

}  // namespace emsdb::client

#endif  // EMSDB_CLIENT_CALL_RUNNER_H_
