#include "server/tokens_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace emsdb {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr char kToken[] = "correct-horse-battery-staple";
// Of the token above.
constexpr char kHash[] = "sha256:87cbebfeebc05f7c54ac9336c4b4bbec831227a641951a4bde7edd56020f8590";

std::shared_ptr<const Callers> Good(const std::string& content) {
  auto parsed = ParseTokensFile(content, {"main", "fire"});
  if (const auto* complaints = std::get_if<TokensComplaints>(&parsed)) {
    ADD_FAILURE() << testing::PrintToString(*complaints);
    return std::make_shared<const Callers>(std::vector<CallerRights>{});
  }
  return std::get<std::shared_ptr<const Callers>>(parsed);
}

TokensComplaints Bad(const std::string& content) {
  auto parsed = ParseTokensFile(content, {"main", "fire"});
  const auto* complaints = std::get_if<TokensComplaints>(&parsed);
  return complaints ? *complaints : TokensComplaints{};
}

std::string OneCaller(const std::string& fields) {
  return R"({"callers": [{"caller": "cad", )" + fields + "}]}";
}

std::string WithToken(const std::string& fields) {
  return OneCaller(std::string(R"("tokens": ["correct-horse-battery-staple"], )") + fields);
}

TEST(TokensFile, KnowsACallerByItsTokenAndByTheTokensHash) {
  for (const std::string token : {kToken, kHash}) {
    const auto callers = Good(OneCaller(R"("databases": ["main"], "tokens": [")" + token + "\"]"));
    const auto found = callers->ByToken(kToken);
    ASSERT_TRUE(found) << token;
    EXPECT_EQ(found->name, "cad");
    EXPECT_FALSE(callers->ByToken(kHash)) << "a hash that leaked must not open the door";
    EXPECT_FALSE(callers->ByToken("correct-horse-battery-stapl"));
    EXPECT_FALSE(callers->ByToken(""));
  }
}

TEST(TokensFile, KnowsACallerByAnyOfItsTokensAndCertificates) {
  const auto callers = Good(R"({"callers": [
    {"caller": "cad", "tokens": ["old-token-of-the-cad", "new-token-of-the-cad"],
     "certificates": ["cad.ems.example", "10.1.2.3"], "databases": "*"},
    {"caller": "epcr", "certificates": ["epcr.ems.example"], "databases": "*"}]})");
  EXPECT_EQ(callers->size(), 2U);
  EXPECT_EQ(callers->ByToken("old-token-of-the-cad"), callers->ByToken("new-token-of-the-cad"));
  EXPECT_EQ(callers->ByCertificate("10.1.2.3"), callers->ByToken("new-token-of-the-cad"));
  EXPECT_EQ(callers->ByCertificate("epcr.ems.example")->name, "epcr");
  EXPECT_FALSE(callers->ByCertificate("EPCR.ems.example"));
  EXPECT_FALSE(callers->ByCertificate(""));
}

TEST(TokensFile, GivesLittleWhereNothingIsSaid) {
  const auto caller = Good(WithToken(R"("databases": ["main"])"))->ByToken(kToken);
  EXPECT_TRUE(caller->MayUse("main"));
  EXPECT_FALSE(caller->MayUse("fire"));
  EXPECT_EQ(caller->highest, Priority::kOperations);
  EXPECT_EQ(caller->unset, Priority::kOperations);
  EXPECT_EQ(caller->access, Access::kReadWrite);
  EXPECT_EQ(caller->operating, Operating::kForbidden);
}

TEST(TokensFile, GivesWhatIsSaid) {
  const auto caller = Good(WithToken(R"("databases": "*", "highest_priority": "dispatch",
                        "default_priority": "clinical", "read_only": true, "operate": true)"))
                          ->ByToken(kToken);
  EXPECT_TRUE(caller->MayUse("fire"));
  EXPECT_EQ(caller->highest, Priority::kDispatch);
  EXPECT_EQ(caller->unset, Priority::kClinical);
  EXPECT_EQ(caller->access, Access::kReadOnly);
  EXPECT_EQ(caller->operating, Operating::kAllowed);
}

TEST(TokensFile, LowersWhatIsAboveTheHighestClass) {
  const auto clinical =
      Good(WithToken(R"("databases": "*", "highest_priority": "clinical")"))->ByToken(kToken);
  EXPECT_EQ(clinical->Granted(Priority::kDispatch), Priority::kClinical);
  EXPECT_EQ(clinical->Granted(Priority::kReporting), Priority::kReporting);
  EXPECT_EQ(clinical->Granted(std::nullopt), Priority::kOperations);
  const auto reporting =
      Good(WithToken(R"("databases": "*", "highest_priority": "reporting")"))->ByToken(kToken);
  EXPECT_EQ(reporting->Granted(std::nullopt), Priority::kReporting);
}

struct BadFile {
  std::string content;
  std::string complaint;
};

class TokensFileRefuses : public testing::TestWithParam<BadFile> {};

TEST_P(TokensFileRefuses, WithTheEntryAndTheRule) {
  const TokensComplaints complaints = Bad(GetParam().content);
  EXPECT_THAT(complaints, Contains(HasSubstr(GetParam().complaint)));
  for (const std::string& complaint : complaints) {
    EXPECT_THAT(complaint, Not(HasSubstr("horse"))) << "shows a token";
  }
}

INSTANTIATE_TEST_SUITE_P(
    Files, TokensFileRefuses,
    testing::Values(
        BadFile{"", "is no JSON"}, BadFile{"correct-horse-battery-staple", "is no JSON"},
        BadFile{R"({"callers": 1e999})", "is no JSON"},
        BadFile{R"({"callers": ["\xff"]})", "is no JSON"},
        BadFile{"[]", "must be an object with a list \"callers\""},
        BadFile{R"({"callers": {}})", "must be an object with a list \"callers\""},
        BadFile{R"({"callers": []})", "names no caller"},
        BadFile{R"({"callers": [], "caler": 1})", "has \"caler\""},
        BadFile{R"({"callers": [1]})", "callers[0]: must be an object"},
        BadFile{R"({"callers": [{"caller": "a"}], "callers": []})", "\"callers\" twice"},
        BadFile{R"({"callers": [{"tokens": ["correct-horse-battery"], "databases": "*"}]})",
                "callers[0].caller: must be a text"},
        BadFile{R"({"callers": [{"caller": "", "databases": "*"}]})", "callers[0].caller"},
        BadFile{OneCaller(R"("databases": "*")"), "needs \"tokens\" or \"certificates\""},
        BadFile{OneCaller(R"("tokens": [], "databases": "*")"),
                "callers[0].tokens: must be a list"},
        BadFile{OneCaller(R"("tokens": "correct-horse-battery", "databases": "*")"),
                "callers[0].tokens: must be a list"},
        BadFile{OneCaller(R"("tokens": ["short-horse"], "databases": "*")"),
                "callers[0].tokens[0]: must be sha256:"},
        BadFile{OneCaller(R"("tokens": ["correct horse battery staple"], "databases": "*")"),
                "callers[0].tokens[0]: must be sha256:"},
        BadFile{OneCaller(R"("tokens": ["sha256:c4bb"], "databases": "*")"), "64 hexadecimal"},
        BadFile{OneCaller(R"("tokens": ["sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934c)"
                          R"(a495991b7852b855"], "databases": "*")"),
                "of an empty text"},
        BadFile{OneCaller(R"("tokens": [7], "databases": "*")"), "callers[0].tokens[0]"},
        BadFile{WithToken(R"("databases": [])"), "callers[0].databases: must be a list"},
        BadFile{WithToken(R"("databases": ["main", "feuer"])"),
                "callers[0].databases[1]: is no database; there are main, fire"},
        BadFile{WithToken(R"("databases": "main")"), "callers[0].databases"},
        BadFile{WithToken(R"("read_only": false)"), "callers[0].databases: is missing"},
        BadFile{WithToken(R"("databases": "*", "read_only": "yes")"),
                "callers[0].read_only: must be true or false"},
        BadFile{WithToken(R"("databases": "*", "operate": 1)"), "callers[0].operate"},
        BadFile{WithToken(R"("databases": "*", "readonly": true)"),
                "has \"readonly\", which is no key here"},
        BadFile{WithToken(R"("databases": "*", "Correct-horse-battery-staple": true)"),
                "has a key of 28 characters"},
        BadFile{WithToken(R"("databases": "*", "read_only": true, "read_only": false)"),
                "\"read_only\" twice"},
        BadFile{WithToken(R"("databases": "*", "highest_priority": "urgent")"),
                "callers[0].highest_priority: must be dispatch"},
        BadFile{WithToken(R"("databases": "*", "default_priority": "dispatch")"),
                "callers[0].default_priority: is above"}));

TEST(TokensFile, RefusesTwoCallersWithOneTokenOrNameOrCertificate) {
  const TokensComplaints complaints = Bad(std::string(R"({"callers": [
    {"caller": "cad", "tokens": ["correct-horse-battery-staple"], "certificates": ["a"],
     "databases": "*"},
    {"caller": "cad", "tokens": [")") + kHash +
                                          R"("], "certificates": ["a"],
     "databases": "*"}]})");
  EXPECT_THAT(complaints,
              ElementsAre("callers[1].caller: is the same as that of callers[0]",
                          "callers[1].tokens[0]: is the same token as callers[0].tokens[0]",
                          "callers[1].certificates[0]: is the same name as "
                          "callers[0].certificates[0]"));
}

TEST(Readme, ShowsATokensFileThatIsAccepted) {
  std::ifstream file(EMSDB_SOURCE_DIR "/README.md");
  const std::string readme{std::istreambuf_iterator<char>(file), {}};
  const std::string fence = "```json\n";
  const std::size_t begin = readme.find(fence) + fence.size();
  EXPECT_EQ(Good(readme.substr(begin, readme.find("```", begin) - begin))->size(), 3U);
}

TEST(TokensFile, ListsEveryComplaintAtOnce) {
  EXPECT_THAT(Bad(R"({"callers": [{"caller": 1, "tokens": ["x"], "operate": 0}, 2]})"), SizeIs(5));
  EXPECT_THAT(Bad(WithToken(R"("databases": "*")")), IsEmpty());
}

}  // namespace
}  // namespace emsdb
