#include "tests/end_to_end/chaos/crowd.h"

#include <algorithm>
#include <utility>

#include "tests/end_to_end/chaos/load.h"
#include "tests/end_to_end/chaos/watch.h"

namespace emsdb::chaos {

Crowd::Crowd(const std::string& address, v1::QueryRequest request, Duration deadline)
    : request_(std::move(request)),
      deadline_(deadline),
      stub_(v1::QueryService::NewStub(NewChannel(address))) {}

Crowd::~Crowd() {
  MutexLock lock(mutex_);
  while (under_way_ > 0) changed_.Wait(mutex_);
}

void Crowd::Send(int calls) {
  {
    MutexLock lock(mutex_);
    under_way_ += calls;
  }
  for (int i = 0; i < calls; ++i) {
    Call& call = *calls_.emplace_back(std::make_unique<Call>());
    SetGatewayDeadline(call.context, deadline_);
    call.sent = Clock::Real().Now();
    stub_->async()->Query(&call.context, &request_, &call.response,
                          [this, &call](const grpc::Status& status) { Done(call, status); });
  }
}

void Crowd::CancelAll() {
  for (const auto& call : calls_) call->context.TryCancel();
}

bool Crowd::AwaitEnd(Duration patience) {
  const Instant end = After(Clock::Real().Now(), patience);
  MutexLock lock(mutex_);
  while (under_way_ > 0 && Clock::Real().Now() < end) changed_.WaitUntil(mutex_, end);
  return under_way_ == 0;
}

int Crowd::over() {
  MutexLock lock(mutex_);
  return over_;
}

int Crowd::Count(const std::string& kind) const {
  return static_cast<int>(
      std::count_if(calls_.begin(), calls_.end(), [&](const std::unique_ptr<Call>& call) {
        return call->over && KindOf(call->answer) == kind;
      }));
}

void Crowd::Done(Call& call, const grpc::Status& status) {
  call.ended = Clock::Real().Now();
  call.answer = ToAnswer(status);
  call.over = true;
  MutexLock lock(mutex_);
  --under_way_;
  ++over_;
  changed_.NotifyAll();
}

}  // namespace emsdb::chaos
