#include "client/cli/progress.h"

#include <gtest/gtest.h>

namespace emsdb::client::cli {
namespace {

TEST(Progress, ShowsTheShareOfTheFile) {
  EXPECT_EQ(ProgressLine({.bytes = 5 << 20, .total = 10 << 20, .rows = 1000, .seconds = 2}, 100),
            " 50% [###############---------------]  5.0 of 10.0 MiB  500 rows/s");
  EXPECT_EQ(ProgressLine({.bytes = 9, .total = 9, .rows = 1, .seconds = 1}, 4), "100%");
}

TEST(Progress, ShowsNoShareOfWhatHasNoKnownSize) {
  EXPECT_EQ(ProgressLine({.bytes = 1 << 20, .rows = 10, .seconds = 1}, 100),
            "1.0 MiB  10 rows  10 rows/s");
}

TEST(Progress, AFileThatGrewIsNoMoreThanWhole) {
  EXPECT_EQ(ProgressLine({.bytes = 30, .total = 10, .rows = 1, .seconds = 1}, 4), "100%");
}

TEST(Progress, SumsUp) {
  EXPECT_EQ(LoadSummary({.rows = 1000, .seconds = 2}), "1000 rows in 2.0 s (500 rows/s)");
}

}  // namespace
}  // namespace emsdb::client::cli
