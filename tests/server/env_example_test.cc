// deploy/emsdb.env.example is the operators' manual: it lists every variable, and no other.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <regex>

#include "server/config.h"
#include "server/variables.h"

namespace emsdb {
namespace {

// The names in lines such as `DB_POOL_SIZE=5` and `#DB_POOL_SIZE=5`, and what they are set to.
std::vector<std::pair<std::string, std::string>> ExampleSettings() {
  std::ifstream file(EMSDB_SOURCE_DIR "/deploy/emsdb.env.example");
  static const auto& setting = *new std::regex("#?([A-Z_]+)=(.*)");
  std::vector<std::pair<std::string, std::string>> settings;
  for (std::string line; std::getline(file, line);) {
    std::smatch match;
    if (std::regex_match(line, match, setting)) settings.emplace_back(match[1], match[2]);
  }
  return settings;
}

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
    if (!name.ends_with("_FILE")) names.push_back(name);
  }
  EXPECT_THAT(names, testing::UnorderedElementsAreArray(GatewayVariables()));
}

TEST(EnvExample, SetsNothingThatIsRefused) {
  for (const auto& [name, value] : ExampleSettings()) {
    if (name == "EMSDB_DATABASES" || name.starts_with("EMSDB_TLS") || name.ends_with("_FILE")) {
      continue;  // need others beside them
    }
    const auto parsed = ParseConfig({{name, value}});
    if (const auto* complaints = std::get_if<ConfigComplaints>(&parsed)) {
      // What a value needs beside it is not the value's fault.
      if (name == "ENV" || name == "ENVIRONMENT") continue;
      ADD_FAILURE() << name << ": " << testing::PrintToString(*complaints);
    }
  }
}

}  // namespace
}  // namespace emsdb
