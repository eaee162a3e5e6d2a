#include "server/bound_values.h"

#include <gtest/gtest.h>

#include <cmath>

namespace emsdb {
namespace {

TEST(BoundValues, AreShownAsWhatTheyAre) {
  const Fields shown = ShownValues(
      {Null{}, true, std::int64_t{-5}, 0.5, std::string("Grüße"), Bytes{std::string("\0\xff", 2)}});
  EXPECT_EQ(shown.dump(), R"([null,true,-5,0.5,"Grüße","\\x00ff"])");
  EXPECT_EQ(ShownValues({HUGE_VAL, std::nan("")}).dump(), R"(["inf","nan"])");
  EXPECT_TRUE(ShownValues({}).empty());
}

TEST(BoundValues, MakeNoLineLong) {
  const std::string text = "ä" + std::string(100000, 'x');
  const Fields shown = ShownValues(std::vector<Value>(1000, text));
  ASSERT_EQ(shown.size(), kMostShownValues + 1);
  EXPECT_EQ(shown.back(), "... 950 more");
  EXPECT_EQ(shown[0].get<std::string>().size(), kMostShownBytes + 3);
  EXPECT_EQ(ShownValues({Bytes{text}})[0].get<std::string>().size(), kMostShownBytes + 3);
}

}  // namespace
}  // namespace emsdb
