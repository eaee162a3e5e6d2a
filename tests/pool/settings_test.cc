#include "pool/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace emsdb {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const NumberRule kOneToTen = {.least = 1, .most = 10, .rule = "must be 1 to 10"};
const SecondsRule kUpToADay = {.least = 0, .most = 86400, .rule = "must be up to a day"};

TEST(SettingReader, AnswersNothingForWhatIsNotSet) {
  const Settings settings;
  SettingReader reader(settings);
  EXPECT_EQ(reader.Text("A"), std::nullopt);
  EXPECT_EQ(reader.WholeNumber("A", kOneToTen), std::nullopt);
  EXPECT_EQ(reader.Seconds("A", kUpToADay), std::nullopt);
  EXPECT_EQ(reader.OneOf("A", {"0", "1"}), std::nullopt);
  EXPECT_THAT(reader.complaints(), IsEmpty());
}

TEST(SettingReader, ReadsNumbersUpToBothEnds) {
  const Settings settings = {{"LEAST", "1"}, {"MOST", "10"}};
  SettingReader reader(settings);
  EXPECT_EQ(reader.WholeNumber("LEAST", kOneToTen), 1);
  EXPECT_EQ(reader.WholeNumber("MOST", kOneToTen), 10);
  EXPECT_THAT(reader.complaints(), IsEmpty());
}

TEST(SettingReader, ReadsFractionsOfSeconds) {
  const Settings settings = {{"A", "0.25"}, {"B", "30"}, {"C", "0"}, {"D", "1.5"}};
  SettingReader reader(settings);
  EXPECT_EQ(reader.Seconds("A", kUpToADay), milliseconds(250));
  EXPECT_EQ(reader.Seconds("B", kUpToADay), seconds(30));
  EXPECT_EQ(reader.Seconds("C", kUpToADay), seconds(0));
  EXPECT_EQ(reader.Seconds("D", kUpToADay), milliseconds(1500));
}

struct BadValue {
  std::string value;
  std::string shown;
};

class BadNumber : public testing::TestWithParam<BadValue> {};

TEST_P(BadNumber, IsRefusedWithTheNameTheValueAndTheRule) {
  const Settings settings = {{"SIZE", GetParam().value}};
  SettingReader reader(settings);
  EXPECT_EQ(reader.WholeNumber("SIZE", kOneToTen), std::nullopt);
  EXPECT_THAT(reader.complaints(), ElementsAre("SIZE is " + GetParam().shown));
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadNumber,
    testing::Values(
        BadValue{"", "empty: give it a value or unset it"},
        BadValue{" ", "a text of 1 characters: must be 1 to 10"},
        BadValue{" 5", "a text of 2 characters: must be 1 to 10"},
        BadValue{"5 ", "a text of 2 characters: must be 1 to 10"},
        BadValue{"0", "'0': must be 1 to 10"}, BadValue{"11", "'11': must be 1 to 10"},
        BadValue{"-3", "'-3': must be 1 to 10"}, BadValue{"+5", "'+5': must be 1 to 10"},
        BadValue{"5.0", "'5.0': must be 1 to 10"}, BadValue{"1e1", "'1e1': must be 1 to 10"},
        BadValue{"0x5", "a text of 3 characters: must be 1 to 10"},
        BadValue{"ten", "a text of 3 characters: must be 1 to 10"},
        BadValue{"4294967297", "'4294967297': must be 1 to 10"},
        BadValue{"99999999999999999999999999", "a text of 26 characters: must be 1 to 10"},
        BadValue{"postgresql://u:p@h/d", "a text of 20 characters: must be 1 to 10"}));

class BadSeconds : public testing::TestWithParam<std::string> {};

TEST_P(BadSeconds, AreRefused) {
  const Settings settings = {{"TIMEOUT", GetParam()}};
  SettingReader reader(settings);
  EXPECT_EQ(reader.Seconds("TIMEOUT", kUpToADay), std::nullopt);
  ASSERT_EQ(reader.complaints().size(), 1u);
  EXPECT_THAT(reader.complaints().front(), HasSubstr("TIMEOUT is "));
}

INSTANTIATE_TEST_SUITE_P(Table, BadSeconds,
                         testing::Values("", " 1", "1 ", "1s", "1,5", "nan", "NaN", "-nan", "inf",
                                         "-inf", "infinity", "1e3", "-0.5", "-1", "86400.5",
                                         "1e999", "9999999999999999999999", "."));

TEST(SettingReader, SaysWhichWordsThereAre) {
  const Settings settings = {{"TIER", "huge"}, {"SECRET", "postgresql://u:p@h/d"}};
  SettingReader reader(settings);
  EXPECT_EQ(reader.OneOf("TIER", {"pilot", "large"}), std::nullopt);
  EXPECT_EQ(reader.OneOf("SECRET", {"pilot", "large"}), std::nullopt);
  EXPECT_THAT(reader.complaints(),
              ElementsAre("TIER is 'huge': must be one of pilot, large",
                          "SECRET is a text of 20 characters: must be one of pilot, large"));
}

TEST(SettingReader, DoesNotRepeatAComplaint) {
  const Settings settings = {{"SIZE", "0"}};
  SettingReader reader(settings);
  reader.WholeNumber("SIZE", kOneToTen);
  reader.WholeNumber("SIZE", kOneToTen);
  EXPECT_EQ(reader.complaints().size(), 1u);
}

TEST(Nearest, FindsASlipOfThePen) {
  const std::vector<std::string> known = {"DB_POOL_SIZE", "DB_TIER", "EMSDB_LISTEN"};
  EXPECT_EQ(Nearest("DB_POOLSIZE", known), "DB_POOL_SIZE");
  EXPECT_EQ(Nearest("DB_POLO_SIZE", known), "DB_POOL_SIZE");
  EXPECT_EQ(Nearest("EMSDB_LISTN", known), "EMSDB_LISTEN");
  EXPECT_EQ(Nearest("DB_TIRE", known), "DB_TIER");
}

TEST(Nearest, FindsNothingInOtherProgramsNames) {
  const std::vector<std::string> known = {"DB_POOL_SIZE", "DB_TIER", "EMSDB_LISTEN"};
  for (const char* name : {"DB_USER", "DB_HOST", "DB_NAME", "DB_POOL_MIN", "PATH", "", "DB_TIER"}) {
    EXPECT_EQ(Nearest(name, known), "") << name;
  }
}

}  // namespace
}  // namespace emsdb
