#include "client/pool_control.h"

#include <gtest/gtest.h>

#include "client/client.h"
#include "tests/client/scripted_transport.h"

namespace emsdb::client {
namespace {

struct Scripted {
  std::shared_ptr<ScriptedTransport> transport = std::make_shared<ScriptedTransport>();
  FakeClock clock;
  Client client{transport, kDefaultDeadline, {}, clock};
};

TEST(PoolControl, AnswersWithThePoolAsItIsAfterwards) {
  Scripted scripted;
  v1::PausePoolResponse paused;
  paused.mutable_pool()->set_state(v1::POOL_STATE_PAUSED);
  scripted.transport->pause.Add(paused);
  const auto pool = scripted.client.pools().Pause("fire");
  ASSERT_TRUE(pool.ok());
  EXPECT_EQ(pool->state(), v1::POOL_STATE_PAUSED);
  EXPECT_EQ(scripted.transport->pauses.front().database(), "fire");
}

TEST(PoolControl, LeavesLimitsUnsetThatAreNotNamed) {
  Scripted scripted;
  scripted.transport->resize.Add(v1::ResizePoolResponse());
  ASSERT_TRUE(scripted.client.pools().Resize("main", {.max_overflow = 0}).ok());
  EXPECT_FALSE(scripted.transport->resizes.front().has_size());
  EXPECT_TRUE(scripted.transport->resizes.front().has_max_overflow());
}

TEST(PoolControl, RepeatsWhatMayHaveBeenDone) {
  Scripted scripted;
  scripted.transport->pause.Add(LinkLost());
  scripted.transport->pause.Add(v1::PausePoolResponse());
  EXPECT_TRUE(scripted.client.pools().Pause("main").ok());
  EXPECT_EQ(scripted.transport->pauses.size(), 2U);
}

TEST(PoolControl, SaysThatNobodyKnowsWhereNoAnswerCame) {
  Scripted scripted;
  scripted.transport->pause.Add(LinkLost());
  EXPECT_EQ(scripted.client.pools().Pause("main").status().code(), absl::StatusCode::kUnknown);
}

TEST(PoolControl, SendsNoNameThatIsNotText) {
  Scripted scripted;
  EXPECT_EQ(scripted.client.pools().Pause("\xff").status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(scripted.transport->pauses.empty());
}

}  // namespace
}  // namespace emsdb::client
