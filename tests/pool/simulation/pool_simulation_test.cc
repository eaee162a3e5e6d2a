// The pool under thousands of random fates, each a function of its seed. One seed again, with all
// its steps: EMSDB_SEED=123. More of them: EMSDB_SEEDS=1000000.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/str_join.h"
#include "tests/pool/simulation/simulation.h"

namespace emsdb {
namespace {

constexpr int kShards = 4;
constexpr std::uint64_t kSeeds = 20000;

std::optional<std::uint64_t> Number(const char* variable) {
  const char* text = std::getenv(variable);  // NOLINT(concurrency-mt-unsafe): there is one thread
  if (text == nullptr) return std::nullopt;
  return std::strtoull(text, nullptr, 10);
}

struct Outcome {
  std::string wrong;  // empty: nothing
  std::vector<std::string> record;
  int steps = 0;
};

Outcome Play(std::uint64_t seed, Defect defect = Defect::kNone,
             Scheduler::Recording recording = Scheduler::Recording::kOff) {
  auto simulation = std::make_unique<Simulation>(seed, defect, recording);
  Outcome outcome;
  outcome.wrong = absl::StrJoin(simulation->Run(), "\n");
  outcome.record = simulation->record();
  outcome.steps = simulation->steps();
  if (!outcome.wrong.empty()) Simulation::Abandon(std::move(simulation));
  return outcome;
}

class PoolSimulation : public ::testing::TestWithParam<int> {};

TEST_P(PoolSimulation, KeepsEveryPromiseWhateverHappens) {  // T29 T30 T31
  const auto only = Number("EMSDB_SEED");
  if (only) {
    const Outcome outcome = Play(*only, Defect::kNone, Scheduler::Recording::kOn);
    for (const std::string& line : outcome.record) std::puts(line.c_str());
    EXPECT_EQ(outcome.wrong, "");
    return;
  }
  std::int64_t steps = 0;
  for (std::uint64_t seed = 1 + GetParam(); seed <= Number("EMSDB_SEEDS").value_or(kSeeds);
       seed += kShards) {
    const Outcome outcome = Play(seed);
    steps += outcome.steps;
    ASSERT_EQ(outcome.wrong, "") << "replay, with every step: EMSDB_SEED=" << seed
                                 << " pool_simulation_test --gtest_filter='*EveryPromise*/0'";
  }
  RecordProperty("steps", std::to_string(steps));
}

INSTANTIATE_TEST_SUITE_P(Shards, PoolSimulation, ::testing::Range(0, kShards));

TEST(PoolSimulation, IsAFunctionOfItsSeed) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Outcome first = Play(seed, Defect::kNone, Scheduler::Recording::kOn);
    const Outcome second = Play(seed, Defect::kNone, Scheduler::Recording::kOn);
    EXPECT_GT(first.record.size(), 5u);
    EXPECT_EQ(first.record, second.record);
  }
}

struct Planted {
  Defect defect;
  const char* name;
};

class PlantedDefect : public ::testing::TestWithParam<Planted> {};

TEST_P(PlantedDefect, IsFound) {
  constexpr std::uint64_t kMost = 300;
  for (std::uint64_t seed = 1; seed <= kMost; ++seed) {
    const Outcome outcome = Play(seed, GetParam().defect);
    if (outcome.wrong.empty()) continue;
    std::printf("%s: seed %d: %s\n", GetParam().name, static_cast<int>(seed),
                outcome.wrong.c_str());
    return;
  }
  ADD_FAILURE() << "not found in " << kMost << " seeds";
}

INSTANTIATE_TEST_SUITE_P(
    Each, PlantedDefect,
    ::testing::Values(Planted{Defect::kForgetsAFailedOpening, "ForgetsAFailedOpening"},
                      Planted{Defect::kForgetsAClose, "ForgetsAClose"},
                      Planted{Defect::kJumpsTheLine, "JumpsTheLine"},
                      Planted{Defect::kNoUpkeep, "NoUpkeep"},
                      Planted{Defect::kKeepsTheConnection, "KeepsTheConnection"},
                      Planted{Defect::kLeaksAConnection, "LeaksAConnection"}),
    [](const auto& planted) { return std::string(planted.param.name); });

}  // namespace
}  // namespace emsdb
