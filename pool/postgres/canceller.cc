#include "pool/postgres/canceller.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <system_error>
#include <thread>

#include "pool/clock.h"
#include "pool/mutex.h"

namespace emsdb {

struct Canceller::Request {
  enum class Stage { kQueued, kSending, kOver, kWithdrawn };

  explicit Request(PGcancel* handle)
      : cancel(handle), ended(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
  ~Request() {
    PQfreeCancel(cancel);
    if (ended >= 0) close(ended);
  }

  void Send() {
    Stage queued = Stage::kQueued;
    if (stage.compare_exchange_strong(queued, Stage::kSending)) {
      // What it says is of no use: whether the statement was hit, the statement itself will show.
      std::array<char, 256> complaint;
      PQcancel(cancel, complaint.data(), static_cast<int>(complaint.size()));
      stage.store(Stage::kOver);
    }
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = write(ended, &one, sizeof one);
  }

  PGcancel* const cancel;
  const int ended;
  std::atomic<Stage> stage{Stage::kQueued};
};

struct Canceller::State {
  explicit State(int most) : most_at_once(most) {}

  const int most_at_once;
  Mutex mutex;
  CondVar changed;
  std::deque<std::shared_ptr<Request>> queue ABSL_GUARDED_BY(mutex);
  int threads ABSL_GUARDED_BY(mutex) = 0;
  int idle ABSL_GUARDED_BY(mutex) = 0;
  bool closing ABSL_GUARDED_BY(mutex) = false;
};

Canceller::Ticket::~Ticket() { Withdraw(); }

int Canceller::Ticket::fd() const { return request_->ended; }

bool Canceller::Ticket::Withdraw() {
  Request::Stage queued = Request::Stage::kQueued;
  request_->stage.compare_exchange_strong(queued, Request::Stage::kWithdrawn);
  return request_->stage.load() != Request::Stage::kSending;
}

Canceller::Canceller(int most_at_once) : state_(std::make_shared<State>(most_at_once)) {}

Canceller::~Canceller() {
  MutexLock lock(state_->mutex);
  state_->closing = true;
  state_->changed.NotifyAll();
}

std::unique_ptr<Canceller::Ticket> Canceller::Send(PGconn* connection) {
  PGcancel* handle = PQgetCancel(connection);
  if (handle == nullptr) return nullptr;
  auto request = std::make_shared<Request>(handle);
  if (request->ended < 0) return nullptr;
  MutexLock lock(state_->mutex);
  if (state_->queue.size() >= static_cast<std::size_t>(state_->most_at_once)) return nullptr;
  const bool hands_short = static_cast<std::size_t>(state_->idle) <= state_->queue.size();
  if (hands_short && state_->threads < state_->most_at_once) {
    try {
      std::thread([state = state_] { Work(state); }).detach();
      ++state_->threads;
    } catch (const std::system_error&) {
      if (state_->threads == 0) return nullptr;  // no thread to be had
    }
  }
  state_->queue.push_back(request);
  state_->changed.NotifyOne();
  return std::make_unique<Ticket>(std::move(request));
}

void Canceller::Work(const std::shared_ptr<State>& state) {
  for (;;) {
    std::shared_ptr<Request> request;
    {
      MutexLock lock(state->mutex);
      const Instant leave = After(Clock::Real().Now(), std::chrono::seconds(10));
      ++state->idle;
      while (state->queue.empty() && !state->closing && Clock::Real().Now() < leave) {
        state->changed.WaitUntil(state->mutex, leave);
      }
      --state->idle;
      if (state->queue.empty()) {
        --state->threads;
        return;
      }
      request = std::move(state->queue.front());
      state->queue.pop_front();
    }
    request->Send();
  }
}

}  // namespace emsdb
