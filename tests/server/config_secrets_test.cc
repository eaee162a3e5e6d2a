// The one promise that has no exception: whatever is set wherever, no message shows a password.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "server/config.h"
#include "server/config_report.h"
#include "server/variables.h"

namespace emsdb {
namespace {

constexpr char kPassword[] = "Hunter2Hunter2";

std::vector<std::string> Variables() {
  std::vector<std::string> names = KnownVariables();
  for (const char* name :
       {"DATABASE_URL_FILE", "FIRE_DATABASE_URL_FILE", "HEMS_DB_POOL_SIZE", "MAIN_DATABASE_URL",
        "FIRE_DB_TIER", "EMSDB_LISTN", "DB_POOLSIZE", "BILLING_DATABASE_URL"}) {
    names.push_back(name);
  }
  return names;
}

// URLs with the password in them, fit ones and broken ones.
std::vector<std::string> Urls() {
  const std::string p = kPassword;
  return {"postgresql://u:" + p + "@h/d",
          "postgresql://u:" + p + "@h:x/d",
          "postgresql://u:" + p + "/@h/d",
          "postgresql://u:/" + p + "@h/d",
          "postgresql://u:1/" + p + "@h/d",
          "postgresql://u:@" + p + "@h/d",
          "postgresql://u:" + p + "@" + p + "@h/d",
          "postgresql://u:?" + p + "@h/d",
          "postgresql://u:#" + p + "@h/d",
          "postgresql://u@h/d?password=" + p,
          "postgresql://u@h/d?password=" + p + "&x",
          "postgresql://u@h/d?pasword=" + p,
          "postgresql://u@h/d?dbname=password%3D" + p,
          "postgresql://u:1/x?" + p + "=1@h/d",
          "mysql://u:" + p + "@h/d",
          "sqlite://u:" + p + "@h/d",
          "host=h password=" + p,
          "u:" + p + "@h:1",
          "postgresql://u:" + p + "@h/d\n"};
}

std::string EverythingSaid(const Settings& environment, const FileReader& files) {
  const auto parsed = ParseConfig(environment, files);
  if (const auto* config = std::get_if<Config>(&parsed)) return DescribeConfig(*config);
  return testing::PrintToString(std::get<ConfigComplaints>(parsed));
}

TEST(ConfigMessages, NeverShowAPasswordWhereverAUrlIsPut) {
  for (const std::string& url : Urls()) {
    const FileReader every_file_is_the_url = [&](const std::string&) { return url; };
    for (const std::string& name : Variables()) {
      // A directory name is no secret, and is shown.
      if (name == "EMSDB_DATA_DIR") continue;
      EXPECT_THAT(EverythingSaid({{name, url}}, every_file_is_the_url),
                  testing::Not(testing::HasSubstr(kPassword)))
          << name << "=" << url;
    }
  }
}

// A token in every place of the file where a person may put it by mistake.
TEST(ConfigMessages, NeverShowATokenWhereverItStandsInItsFile) {
  const std::string token = kPassword;
  for (const std::string& content :
       {token, "{" + token, "[\"" + token + "\"]", "{\"" + token + "\": 1}",
        "{\"callers\": \"" + token + "\"}", "{\"callers\": [\"" + token + "\"]}",
        "{\"callers\": [{\"" + token + "\": 1, \"" + token + "\": 2}]}",
        "{\"callers\": [{\"caller\": [\"" + token + "\"], \"tokens\": [\"" + token + "\"]," +
            "\"databases\": [\"" + token + "\"], \"highest_priority\": \"" + token +
            "\", \"read_only\": \"" + token + "\", \"certificates\": \"" + token + "\"}]}"}) {
    const FileReader file = [&](const std::string&) { return content; };
    const std::string said = EverythingSaid({{"EMSDB_TOKENS_FILE", "/t"}}, file);
    EXPECT_THAT(said, testing::HasSubstr("EMSDB_TOKENS_FILE")) << content;
    EXPECT_THAT(said, testing::Not(testing::HasSubstr(token))) << content;
  }
}

// Broken URLs by chance: the parts of one, in any order, around the password.
TEST(ConfigMessages, NeverShowAPasswordFromAUrlThatIsBrokenAnyhow) {
  std::mt19937 random(20260131);
  const std::vector<std::string> parts = {":", "/", "@", "?", "=",    "&",   "%",    "[", "]",
                                          ",", "u", "h", "d", "5432", "%40", "host", "#"};
  for (int i = 0; i < 20000; ++i) {
    std::string url = "postgresql://u:";
    const auto add = [&](unsigned most) {
      for (unsigned n = random() % most; n > 0; --n) url += parts[random() % parts.size()];
    };
    add(4);
    url += kPassword;
    add(4);
    // What follows the password up to the host must be there for a URL to hold one at all.
    url += "@h";
    add(4);
    EXPECT_THAT(EverythingSaid({{"DATABASE_URL", url}}, ReadWholeFile),
                testing::Not(testing::HasSubstr(kPassword)))
        << url;
  }
}

}  // namespace
}  // namespace emsdb
