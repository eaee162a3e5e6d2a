#include "server/reachability.h"

#include <gmock/gmock.h>

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>

#include "server/inquiry.h"
#include "tests/support/fake_clock.h"
#include "tests/support/scripted_connector.h"

namespace emsdb {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class TheReachability : public ::testing::Test {
 protected:
  TheReachability()
      : pools(
            {{.name = "main", .engine = Engine::kPostgresql, .connection = "postgresql://h/main"}},
            [this](const DatabaseSettings&, Role) {
              auto made = std::make_unique<ScriptedConnector>(clock);
              connector = made.get();
              return made;
            },
            clock, [](const std::string&) -> PoolObserver& { return PoolObserver::None(); }) {}

  Pool& pool() { return (*pools.Find("main"))->PoolFor(Access::kReadOnly); }

  // As any caller's call would end.
  absl::Status Call() {
    const auto ended = std::make_shared<std::promise<absl::Status>>();
    Inquire(pools, **pools.Find("main"), "SELECT 2",
            [ended](const auto& answer) { ended->set_value(answer.status()); });
    return ended->get_future().get();
  }

  // A question is left out while the one before it is still being told of: the clock moves on if
  // none comes.
  void AwaitQuestions(std::size_t count) {
    while (connector->executed().size() < count) {
      const auto moved = std::chrono::steady_clock::now() + seconds(1);
      while (connector->executed().size() < count && std::chrono::steady_clock::now() < moved) {
        std::this_thread::yield();
      }
      if (connector->executed().size() < count) clock.Advance(milliseconds(500));
    }
  }

  FakeClock clock;
  ScriptedConnector* connector = nullptr;
  PoolManager pools;
};

TEST_F(TheReachability, HearsOfAnOutageFromThePoolBeforeItsNextQuestionIsDue) {
  Reachability reachability(pools);
  EXPECT_TRUE(reachability.AskAll().at("main").ok());
  std::promise<std::string> changed;
  reachability.Watch([&](const std::string& database, const absl::Status& state) {
    if (!state.ok()) changed.set_value(database);
  });
  AwaitQuestions(2);  // the next one is due in five seconds
  connector->Always(Operation::kOpen, {.status = absl::UnavailableError("refused")});
  connector->KillAll();
  while (pool().numbers().mode != PoolMode::kDown) EXPECT_FALSE(Call().ok());
  auto told = changed.get_future();
  for (int i = 0; i < 8 && told.wait_for(seconds(1)) != std::future_status::ready; ++i) {
    clock.Advance(milliseconds(500));
  }
  ASSERT_EQ(told.wait_for(seconds(0)), std::future_status::ready);
  EXPECT_EQ(told.get(), "main");
  EXPECT_FALSE(reachability.reachable("main"));
}

TEST_F(TheReachability, AsksAgainSoonAfterTheFirstBadAnswer) {
  Reachability reachability(pools);
  EXPECT_TRUE(reachability.AskAll().at("main").ok());
  std::promise<void> went;
  std::promise<void> came;
  bool away = false;  // of whoever answers, one after the other
  reachability.Watch([&](const std::string&, const absl::Status& state) {
    if (!state.ok()) went.set_value();
    if (state.ok() && away) came.set_value();
    away = !state.ok();
  });
  AwaitQuestions(2);
  connector->Next(Operation::kOpen, {.status = absl::UnavailableError("refused")});
  connector->KillAll();
  clock.Advance(seconds(5));
  ASSERT_EQ(went.get_future().wait_for(seconds(30)), std::future_status::ready);
  auto told = came.get_future();
  // Less than the five seconds that a database which is well is left alone for.
  for (int i = 0; i < 8 && told.wait_for(seconds(1)) != std::future_status::ready; ++i) {
    clock.Advance(milliseconds(500));
  }
  EXPECT_EQ(told.wait_for(seconds(0)), std::future_status::ready);
}

}  // namespace
}  // namespace emsdb
