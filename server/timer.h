// One thing to be done later, unless it is called off: without a thread that waits.
#ifndef EMSDB_SERVER_TIMER_H_
#define EMSDB_SERVER_TIMER_H_

#include <grpcpp/alarm.h>

#include <functional>
#include <memory>
#include <utility>

#include "pool/clock.h"

namespace emsdb {

// Set and Clear by one thread at a time. The action comes in one of gRPC's threads, perhaps while
// Clear or the destructor runs in another: it must hold what it needs, or look whether it is still
// there.
class Timer {
 public:
  void Set(Duration wait, std::function<void()> action) {
    using std::chrono::system_clock;
    alarm_ = std::make_unique<grpc::Alarm>();  // one that was set before may still be on its way
    alarm_->Set(system_clock::now() + std::chrono::duration_cast<system_clock::duration>(wait),
                [action = std::move(action)](bool due) {
                  if (due) action();
                });
  }
  void Clear() { alarm_.reset(); }

 private:
  std::unique_ptr<grpc::Alarm> alarm_;
};

}  // namespace emsdb

#endif  // EMSDB_SERVER_TIMER_H_
