// A call that keeps its answer, and the pieces that tests of the pool put together around it.
#ifndef EMSDB_TESTS_POOL_RECORDED_CALL_H_
#define EMSDB_TESTS_POOL_RECORDED_CALL_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "pool/call.h"
#include "pool/pool.h"
#include "tests/support/collecting_sink.h"
#include "tests/support/fake_clock.h"
#include "tests/support/scripted_connector.h"

namespace emsdb {

using Body = std::function<absl::Status(Connection&, const Bounds&, Lease&)>;

inline Body Sql(std::string sql) {
  return [sql = std::move(sql)](Connection& connection, const Bounds& bounds, Lease&) {
    CollectingSink sink;
    return connection.Execute({sql, {}}, {}, bounds, sink).status();
  };
}

// In a transaction that is open.
inline const Body kCommit = [](Connection& connection, const Bounds& bounds, Lease&) {
  return connection.Commit(bounds);
};
inline const Body kRollBack = [](Connection& connection, const Bounds& bounds, Lease&) {
  return connection.RollBack(bounds);
};

class RecordedCall final : public Call {
 public:
  RecordedCall(CallOptions options, Clock& clock, Body body)
      : Call(std::move(options), clock), body_(std::move(body)) {}

  // Blocks until the call is answered.
  absl::Status Await() {
    MutexLock lock(mutex_);
    while (answers_ == 0) changed_.Wait(mutex_);
    return answer_;
  }
  void AwaitEnd() { Await().IgnoreError(); }
  int answers() {
    MutexLock lock(mutex_);
    return answers_;
  }
  CallTimes times() {
    MutexLock lock(mutex_);
    return times_;
  }
  // Before Start: runs with the answer, in the thread that brings it.
  void OnAnswer(std::function<void()> then) { then_ = std::move(then); }
  // Before Start: asked before each answer whether the call goes on instead.
  void AskBeforeAnswer(std::function<bool(const absl::Status&)> goes_on) {
    goes_on_ = std::move(goes_on);
  }
  using Call::Again;

 private:
  absl::Status Run(Connection& connection, const Bounds& bounds, Lease& lease) override {
    return body_(connection, bounds, lease);
  }
  bool GoesOn(const absl::Status& status) override { return goes_on_ && goes_on_(status); }
  void Finish(absl::Status status, const CallTimes& times) override {
    if (then_) then_();
    MutexLock lock(mutex_);
    ++answers_;
    answer_ = std::move(status);
    times_ = times;
    changed_.NotifyAll();
  }

  const Body body_;
  std::function<void()> then_;
  std::function<bool(const absl::Status&)> goes_on_;
  Mutex mutex_;
  CondVar changed_;
  int answers_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Status answer_ ABSL_GUARDED_BY(mutex_);
  CallTimes times_ ABSL_GUARDED_BY(mutex_);
};

using CallRef = std::shared_ptr<RecordedCall>;

// One pool on a scripted driver. Checks at its end that every call was answered once and that the
// driver never had more connections open than the pool may have.
class PoolUnderTest {
 public:
  PoolUnderTest(const PoolLimits& limits, Clock& clock, Upkeep& upkeep,
                Clock* pools_clock = nullptr)
      : clock_(clock) {
    auto scripted = std::make_unique<ScriptedConnector>(clock);
    connector = scripted.get();
    pool = std::make_unique<Pool>(limits, std::move(scripted),
                                  pools_clock != nullptr ? *pools_clock : clock, upkeep);
  }
  ~PoolUnderTest() {
    if (pool) {
      CheckBounds();
      connector->ReleaseAll();
    }
    pool.reset();
    for (const CallRef& call : calls_) EXPECT_EQ(call->answers(), 1);
  }

  void CheckBounds() const {
    const PoolState::Counts counts = pool->numbers().counts;
    EXPECT_LE(counts.idle + counts.leased + counts.opening + counts.closing,
              pool->limits().limit());
    EXPECT_LE(connector->most_open(), pool->limits().limit());
  }

  CallRef Make(Body body = Sql("SELECT 1"), CallOptions options = {}) {
    calls_.push_back(std::make_shared<RecordedCall>(std::move(options), clock_, std::move(body)));
    return calls_.back();
  }
  CallRef Start(Body body = Sql("SELECT 1"), CallOptions options = {}) {
    CallRef call = Make(std::move(body), std::move(options));
    call->Start(*pool, Purpose::kStatement);
    return call;
  }
  // A call that holds its connection until the driver is told to release it.
  CallRef StartHanging(CallOptions options = {}) {
    connector->Next(Operation::kExecute, {.pace = Pace::kHangs});
    const int before = connector->hanging();
    CallRef call = Start(Sql("SELECT pg_sleep(1)"), std::move(options));
    connector->AwaitHanging(before + 1);
    return call;
  }

  ScriptedConnector* connector = nullptr;  // the pool's
  std::unique_ptr<Pool> pool;

 private:
  Clock& clock_;
  std::vector<CallRef> calls_;
};

}  // namespace emsdb

#endif  // EMSDB_TESTS_POOL_RECORDED_CALL_H_
