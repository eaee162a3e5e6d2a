#include "pool/postgres/conninfo.h"

#include <gtest/gtest.h>

#include <map>

namespace emsdb {
namespace {

std::map<std::string, std::string> ParametersOf(const std::string& uri) {
  const auto info = Conninfo::Parse(uri);
  if (!info.ok()) return {};
  const auto keywords = info->Keywords();
  const auto values = info->Values();
  std::map<std::string, std::string> parameters;
  for (std::size_t i = 0; keywords[i] != nullptr; ++i) parameters[keywords[i]] = values[i];
  return parameters;
}

// T38
TEST(Conninfo, AddsWhatFindsDeadPeersUnlessTheUriSaysOtherwise) {
  auto parameters = ParametersOf("postgresql://u:p@h/d?keepalives_idle=7&application_name=mine");
  EXPECT_EQ(parameters["keepalives_idle"], "7");
  EXPECT_EQ(parameters["tcp_user_timeout"], "30000");
  EXPECT_EQ(parameters["application_name"], "mine");
  EXPECT_EQ(ParametersOf("postgres://h")["application_name"], "emsdb-gateway");
}

// T53
TEST(Conninfo, PutsItsOwnSessionOptionsBehindTheUris) {
  const std::string options = ParametersOf("postgresql://h/d?options=-c%20TimeZone%3DX")["options"];
  EXPECT_LT(options.find("TimeZone=X"), options.find("TimeZone=UTC"));
  EXPECT_EQ(ParametersOf("postgresql://h/d?client_encoding=LATIN1")["client_encoding"], "UTF8");
}

TEST(Conninfo, KeepsThePasswordOutOfWords) {
  const auto info = Conninfo::Parse("postgresql://u:s3cr%20t@h/d");
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->Redact("no s3cr t, s3cr t"), "no ***, ***");
  const auto broken = Conninfo::Parse("postgresql://u:s3cret@[::1");
  EXPECT_FALSE(broken.ok());
  EXPECT_EQ(broken.status().ToString().find("s3cret"), std::string::npos);
}

TEST(Conninfo, SplitsAListOfHosts) {
  const auto info = Conninfo::Parse("postgresql://u:p@a:1,[::1]:2,c:3/d");
  ASSERT_TRUE(info.ok());
  const auto each = info->EachHost();
  ASSERT_EQ(each.size(), 3U);
  EXPECT_EQ(each[0].host_name(), "a");
  EXPECT_EQ(each[1].host_name(), std::nullopt);  // an address
  EXPECT_EQ(each[2].host_name(), "c");
  EXPECT_EQ(Conninfo::Parse("postgresql:///d?host=/run/x")->EachHost().size(), 1U);
  EXPECT_EQ(Conninfo::Parse("postgresql:///d?host=/run/x")->host_name(), std::nullopt);
  EXPECT_EQ(
      Conninfo::Parse("postgresql://a,b/d?target_session_attrs=prefer-standby")->EachHost().size(),
      1U);
}

TEST(Conninfo, TakesZeroForNoConnectTimeout) {
  EXPECT_EQ(Conninfo::Parse("postgresql://h?connect_timeout=3")->connect_timeout(),
            std::chrono::seconds(3));
  EXPECT_EQ(Conninfo::Parse("postgresql://h?connect_timeout=0")->connect_timeout(), std::nullopt);
  EXPECT_EQ(Conninfo::Parse("postgresql://h")->connect_timeout(), std::nullopt);
}

}  // namespace
}  // namespace emsdb
