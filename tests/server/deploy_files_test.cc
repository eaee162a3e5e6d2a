// The deploy files set what the gateway understands: each one's settings are given to it here.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <regex>
#include <sstream>

#include "server/config.h"
#include "server/config_report.h"

namespace emsdb {
namespace {

std::string Content(const std::string& name) {
  std::ifstream file(std::string(EMSDB_SOURCE_DIR "/deploy/") + name);
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

// Every match of `setting` in the file, whose groups are a name and a value.
Settings SettingsIn(const std::string& name, const std::string& setting) {
  const std::string content = Content(name);
  const std::regex pattern(setting);
  Settings settings;
  for (std::sregex_iterator it(content.begin(), content.end(), pattern), end; it != end; ++it) {
    settings[(*it)[1]] = (*it)[2];
  }
  return settings;
}

Config Accepted(const Settings& settings) {
  const auto parsed = ParseConfig(settings);
  if (const auto* complaints = std::get_if<ConfigComplaints>(&parsed)) {
    ADD_FAILURE() << testing::PrintToString(*complaints);
    return {};
  }
  EXPECT_THAT(std::get<Config>(parsed).warnings, testing::IsEmpty());
  return std::get<Config>(parsed);
}

// In production, of tier pilot, on one server that must give 120 connections.
void ExpectPilotInProduction(const Config& config) {
  EXPECT_EQ(config.mode, Mode::kProduction);
  ASSERT_FALSE(config.databases.empty());
  EXPECT_EQ(config.databases.front().tier, "pilot");
  ASSERT_EQ(Budget(config.databases).size(), 1u);
  EXPECT_EQ(Budget(config.databases).front().connections, 120);
}

TEST(DeployFiles, AppPlatformIsPilotInProduction) {
  Settings settings =
      SettingsIn("do-app.yaml", "- key: ([A-Z_]+)\n(?: +scope: .*\n)? +value: \"?([^\"\n]+)");
  EXPECT_EQ(settings.size(), 6u);
  EXPECT_EQ(settings["DATABASE_URL"], "${ems.DATABASE_URL}");
  settings["DATABASE_URL"] = "postgresql://ems:s3cret@db:25060/ems?sslmode=require";
  ExpectPilotInProduction(Accepted(settings));
}

TEST(DeployFiles, ComposeIsPilotInProductionAndItsServerHasTheConnections) {
  Settings settings =
      SettingsIn("compose.yaml", "\n      ((?:EMSDB_|DB_|DATABASE_|ENV)[A-Z_]*): \"?([^\"\n]+)");
  EXPECT_EQ(settings.size(), 5u);
  settings["DATABASE_URL"] =
      std::regex_replace(settings["DATABASE_URL"], std::regex("\\$\\{[^}]*\\}"), "s3cret");
  ExpectPilotInProduction(Accepted(settings));
  EXPECT_THAT(Content("compose.yaml"), testing::HasSubstr("max_connections=150"));
}

TEST(DeployFiles, TheUnitAndTheImageSetTheDataDirectory) {
  EXPECT_EQ(Accepted(SettingsIn("emsdb.service", "\nEnvironment=([A-Z_]+)=([^\n]+)")).data_dir,
            "/var/lib/emsdb");
  EXPECT_EQ(Accepted(SettingsIn("Dockerfile", "\nENV ([A-Z_]+)=([^\n]+)")).data_dir,
            "/var/lib/emsdb");
}

}  // namespace
}  // namespace emsdb
