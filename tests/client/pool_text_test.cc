#include "client/cli/pool_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <string>

namespace emsdb::client::cli {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string Written(const std::function<void(Output&)>& write) {
  std::FILE* file = std::tmpfile();
  Output output(fileno(file));
  write(output);
  output.Flush();
  std::string text(100000, '\0');
  text.resize(static_cast<std::size_t>(pread(fileno(file), text.data(), text.size(), 0)));
  std::fclose(file);
  return text;
}

Pools OnePool() {
  v1::PoolStatus pool;
  pool.set_database("main");
  pool.set_engine(v1::ENGINE_POSTGRESQL);
  pool.set_state(v1::POOL_STATE_PAUSED);
  pool.set_waiting(2);
  pool.mutable_longest_wait()->set_nanos(1'500'000);
  pool.set_last_connect_error("\x1B[2Jgone");
  auto& holder = *pool.add_holders();
  holder.set_caller("cad");
  holder.set_statement("update calls\nset x = ?");
  holder.mutable_held()->set_seconds(3);
  return {pool};
}

constexpr char kTime[] = "2026-01-31T08:16:02Z";

TEST(PoolText, DrawsAScreenInPlaceOfTheOneBefore) {
  const std::string screen =
      Written([](Output& output) { WritePoolScreen(OnePool(), kTime, output); });
  EXPECT_THAT(screen, StartsWith("\x1B[H\x1B[J2026-01-31T08:16:02Z"));
  EXPECT_THAT(screen, HasSubstr("| paused |"));
  EXPECT_THAT(screen, HasSubstr(" main     | cad    | update calls\\nset x = ? |"));
}

// What a database server says must not steer the terminal.
TEST(PoolText, EscapesWhatOthersWrote) {
  const std::string tables = Written([](Output& output) { WritePoolTables(OnePool(), output); });
  EXPECT_THAT(tables, HasSubstr("\\x1B[2Jgone"));
  EXPECT_THAT(tables, Not(HasSubstr("\x1B")));
}

TEST(PoolText, WritesOneLineForEachPool) {
  Pools two = OnePool();
  two.push_back(two.front());
  const std::string lines = Written([&](Output& output) { WritePoolLines(two, kTime, output); });
  const std::string line =
      "2026-01-31T08:16:02Z main paused idle=0 leased=0 opening=0 waiting=2 longest_wait=0.002 "
      "transactions=0 timeouts=0 stale=0\n";
  EXPECT_EQ(lines, line + line);
}

TEST(PoolText, WritesJsonInOneLine) {
  const std::string line =
      Written([](Output& output) { WritePoolJsonLine(OnePool(), kTime, output); });
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
  EXPECT_THAT(line, StartsWith("{\"time\":\"2026-01-31T08:16:02Z\",\"pools\":[{\"database\""));
  EXPECT_THAT(line, EndsWith("}]}\n"));
}

}  // namespace
}  // namespace emsdb::client::cli
