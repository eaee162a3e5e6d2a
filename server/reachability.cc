#include "server/reachability.h"

#include <utility>

#include "pool/errors.h"

namespace emsdb {
namespace {

constexpr Duration kWhileReachable = std::chrono::seconds(5);
constexpr Duration kWhileAway = std::chrono::milliseconds(500);

class IgnoredRows final : public RowSink {
 public:
  absl::Status OnColumns(std::span<const Column>) override { return absl::OkStatus(); }
  absl::Status OnRow(std::span<const Cell>) override { return absl::OkStatus(); }
};

// A busy pool says nothing about the database behind it.
bool SaysNothing(const absl::Status& status) {
  return !status.ok() && DetailOf(status).stage == Stage::kWaiting;
}

}  // namespace

// `SELECT 1` as any caller would send it, but ahead of them all.
class Reachability::Probe final : public Call {
 public:
  Probe(Reachability& asker, std::string database, Clock& clock)
      : Call({.deadline = clock.Now() + kPatience,
              .priority = Priority::kDispatch,
              .caller = "emsdb-gateway",
              .statement = "SELECT ?"},
             clock),
        asker_(asker),
        database_(std::move(database)) {}

 protected:
  absl::Status Run(Connection& connection, const Bounds& bounds, Lease&) override {
    IgnoredRows sink;
    return connection
        .Execute({.sql = "SELECT 1", .parameters = {}, .parameter_types = {}},
                 {.access = Access::kReadOnly, .identity = "emsdb-gateway"}, bounds, sink)
        .status();
  }
  void Finish(absl::Status status, const CallTimes&) override {
    asker_.Answered(database_, status);
  }

 private:
  Reachability& asker_;
  const std::string database_;
};

Reachability::Reachability(PoolManager& pools) : pools_(pools) {}

Reachability::~Reachability() {
  StopWatching();
  // Probes under way speak to this object; each has a deadline.
  MutexLock lock(mutex_);
  while (true) {
    int open = 0;
    for (const auto& [database, count] : asked_) open += count;
    if (open == 0) return;
    changed_.Wait(mutex_);
  }
}

std::map<std::string, absl::Status> Reachability::AskAll() {
  for (Database* database : pools_.databases()) Ask(*database);
  MutexLock lock(mutex_);
  while (states_.size() < pools_.databases().size()) changed_.Wait(mutex_);
  return states_;
}

void Reachability::Watch(Listener listener) {
  listener_ = std::move(listener);
  for (const auto& [database, state] : states()) listener_(database, state);
  thread_ = std::thread([this] { Run(); });
}

void Reachability::StopWatching() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    changed_.NotifyAll();
  }
  if (thread_.joinable()) thread_.join();
}

void Reachability::Run() {
  std::map<std::string, Instant> next;
  Clock& clock = pools_.clock();
  for (;;) {
    Instant wake = clock.Now() + kWhileAway;
    for (Database* database : pools_.databases()) {
      const std::string& name = database->settings().name;
      if (clock.Now() < next[name]) continue;
      next[name] = clock.Now() + (reachable(name) ? kWhileReachable : kWhileAway);
      Ask(*database);
    }
    MutexLock lock(mutex_);
    while (!stopping_ && clock.Now() < wake) clock.WaitUntil(mutex_, changed_, wake);
    if (stopping_) return;
  }
}

void Reachability::Ask(Database& database) {
  const std::string& name = database.settings().name;
  {
    MutexLock lock(mutex_);
    if (asked_[name] > 0) return;
    ++asked_[name];
  }
  auto probe = std::make_shared<Probe>(*this, name, pools_.clock());
  probe->Start(database.PoolFor(Access::kReadOnly), Purpose::kStatement);
}

void Reachability::Answered(const std::string& database, const absl::Status& status) {
  bool changed = false;
  {
    MutexLock lock(mutex_);
    --asked_[database];
    const auto known = states_.find(database);
    if (known == states_.end()) {
      states_.emplace(database, status);
    } else if (!SaysNothing(status)) {
      changed = known->second.ok() != status.ok();
      known->second = status;
    }
    changed_.NotifyAll();
    changed = changed && !stopping_;
  }
  if (changed && listener_) listener_(database, status);
}

bool Reachability::reachable(const std::string& database) const {
  MutexLock lock(mutex_);
  const auto known = states_.find(database);
  return known != states_.end() && known->second.ok();
}

std::map<std::string, absl::Status> Reachability::states() const {
  MutexLock lock(mutex_);
  return states_;
}

}  // namespace emsdb
