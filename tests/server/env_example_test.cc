// deploy/emsdb.env.example is the operators' manual: it lists every variable, and no other. The
// README names them all, too.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <regex>

#include "server/config.h"
#include "server/variables.h"

namespace emsdb {
namespace {

using NameAndValue = std::pair<std::string, std::string>;

enum class Which { kAll, kDefaultsOnly };

// The settings in lines such as `DB_POOL_SIZE=5` and `#DB_POOL_SIZE=5`. An example is one whose
// comment says so.
std::vector<NameAndValue> SettingsInFile(Which which) {
  std::ifstream file(EMSDB_SOURCE_DIR "/deploy/emsdb.env.example");
  static const auto& setting = *new std::regex("#?([A-Z_]+)=(.*)");
  std::vector<NameAndValue> settings;
  std::string comment;
  for (std::string line; std::getline(file, line);) {
    std::smatch match;
    if (line.empty()) comment.clear();
    if (!std::regex_match(line, match, setting)) {
      comment += line;
      continue;
    }
    const bool is_example = comment.find("Example") != std::string::npos;
    if (which == Which::kAll || !is_example) settings.emplace_back(match[1], match[2]);
  }
  return settings;
}

std::vector<NameAndValue> ExampleSettings() { return SettingsInFile(Which::kAll); }
std::vector<NameAndValue> DefaultSettings() { return SettingsInFile(Which::kDefaultsOnly); }

// The client's variables are not for the gateway's file.
std::vector<std::string> GatewayVariables() {
  std::vector<std::string> names = KnownVariables();
  std::erase(names, "EMSDB_ADDRESS");
  std::erase(names, "EMSDB_TOKEN");
  return names;
}

TEST(EnvExample, ListsExactlyTheVariablesThatThereAre) {
  std::vector<std::string> names;
  for (const auto& [name, value] : ExampleSettings()) {
    if (!name.ends_with("_URL_FILE")) names.push_back(name);
  }
  EXPECT_THAT(names, testing::UnorderedElementsAreArray(GatewayVariables()));
}

TEST(EnvExample, IsAcceptedAsAWhole) {
  Settings all = {{"BILLING_DATABASE_URL", "sqlite://"}, {"RESEARCH_DATABASE_URL", "sqlite://"}};
  for (const auto& [name, value] : ExampleSettings()) {
    if (!name.ends_with("_URL_FILE")) all[name] = value;  // the variable without it is there too
  }
  const auto parsed = ParseConfig(all, [](const std::string& path) -> std::string {
    if (!path.ends_with(".json")) return "-----BEGIN CERTIFICATE-----";
    return R"({"callers": [{"caller": "a", "certificates": ["a"], "databases": "*"}]})";
  });
  const auto* complaints = std::get_if<ConfigComplaints>(&parsed);
  ASSERT_EQ(complaints, nullptr) << testing::PrintToString(*complaints);
  EXPECT_THAT(std::get<Config>(parsed).warnings, testing::IsEmpty());
}

TEST(Readme, NamesEveryVariableOfTheGateway) {
  std::ifstream file(EMSDB_SOURCE_DIR "/README.md");
  const std::string readme{std::istreambuf_iterator<char>(file), {}};
  for (const std::string& name : GatewayVariables()) {
    EXPECT_THAT(readme, testing::HasSubstr("`" + name + "`"));
  }
}

// What is shown and not called an example is what holds without it.
TEST(EnvExample, ShowsTheDefaults) {
  const Config bare = std::get<Config>(ParseConfig({}));
  for (const auto& [name, value] : DefaultSettings()) {
    const auto parsed = ParseConfig({{name, value}});
    ASSERT_TRUE(std::holds_alternative<Config>(parsed)) << name;
    const Config& config = std::get<Config>(parsed);
    EXPECT_EQ(config.databases.front().connection, bare.databases.front().connection) << name;
    EXPECT_EQ(config.databases.front().limits, bare.databases.front().limits) << name;
    EXPECT_EQ(config.databases.front().session_reset, bare.databases.front().session_reset) << name;
    EXPECT_EQ(config.databases.front().statement_cache, bare.databases.front().statement_cache)
        << name;
    EXPECT_EQ(config.result_memory, bare.result_memory) << name;
    EXPECT_EQ(config.mode, bare.mode) << name;
    EXPECT_EQ(config.listen + config.metrics_listen, bare.listen + bare.metrics_listen) << name;
    EXPECT_EQ(config.data_dir, bare.data_dir) << name;
    EXPECT_EQ(config.plain_text, bare.plain_text) << name;
    EXPECT_EQ(config.bind_values, bare.bind_values) << name;
    EXPECT_EQ(config.drain_timeout, bare.drain_timeout) << name;
    EXPECT_EQ(config.slow_reader_timeout, bare.slow_reader_timeout) << name;
  }
}

}  // namespace
}  // namespace emsdb
