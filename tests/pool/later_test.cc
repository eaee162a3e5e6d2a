#include "pool/later.h"

#include <gmock/gmock.h>

#include "tests/support/fake_clock.h"

namespace emsdb {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class LaterTest : public ::testing::Test {
 protected:
  void DoAt(Duration from_now, int what) {
    later.At(clock.Now() + from_now, [this, what] { done.push_back(what); });
  }

  FakeClock clock;
  Upkeep upkeep{clock};
  std::vector<int> done;
  Later later{upkeep};
};

using LaterTasks = LaterTest;

TEST_F(LaterTasks, RunOnceInTheirOrderWhenTheirTimeHasCome) {
  DoAt(seconds(3), 3);
  DoAt(seconds(1), 1);
  DoAt(seconds(2), 2);
  const Instant start = clock.Now();
  EXPECT_EQ(upkeep.Round(), start + seconds(1));
  EXPECT_THAT(done, IsEmpty());
  clock.Advance(seconds(2));
  EXPECT_EQ(upkeep.Round(), start + seconds(3));
  EXPECT_THAT(done, ElementsAre(1, 2));
  clock.Advance(seconds(2));
  EXPECT_EQ(upkeep.Round(), kNever);
  EXPECT_THAT(done, ElementsAre(1, 2, 3));
}

TEST_F(LaterTasks, MayAskForFurtherOnes) {
  later.At(clock.Now(), [this] { DoAt(Duration::zero(), 1); });
  upkeep.Round();
  upkeep.Round();
  EXPECT_THAT(done, ElementsAre(1));
}

}  // namespace
}  // namespace emsdb
