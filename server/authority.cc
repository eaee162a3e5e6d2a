#include "server/authority.h"

#include <utility>

namespace emsdb {

absl::StatusOr<Caller> Authority::Identify(const grpc::ServerContextBase& context) const {
  return Recognise(IntroductionOf(context), callers().get());
}

Caller Authority::IdentifyForLog(const grpc::ServerContextBase& context) const {
  const Introduction introduction = IntroductionOf(context);
  auto caller = Recognise(introduction, callers().get());
  return caller.ok() ? *std::move(caller) : Unrecognised(introduction);
}

void Authority::Replace(std::shared_ptr<const Callers> callers) {
  MutexLock lock(mutex_);
  callers_.swap(callers);  // the old ones end with this call, after the lock
}

std::shared_ptr<const Callers> Authority::callers() const {
  MutexLock lock(mutex_);
  return callers_;
}

}  // namespace emsdb
