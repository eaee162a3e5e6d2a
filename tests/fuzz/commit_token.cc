// Every commit's token reads back as that commit; of any other text none is read but what a commit
// is written as.
#include "server/commit_token.h"

#include <string>

#include "tests/fuzz/reader.h"
#include "tests/fuzz/target.h"
#include "tests/fuzz/targets.h"

namespace emsdb::fuzz {
namespace {

// As the settings allow it: lower-case letters, digits and underscores.
bool IsDatabaseName(std::string_view name) {
  return !name.empty() && name.size() <= 63 &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string_view::npos;
}

}  // namespace

void CommitToken(std::string_view input) {
  const std::string text(input);
  if (const auto read = FromCommitToken(text); read.ok()) {
    Require(ToCommitToken(*read) == text, "an accepted token is what the commit is written as");
  }
  Reader reader(input);
  NamedCommit commit;
  commit.id.transaction = reader.Number<std::uint64_t>();
  commit.id.server.system = reader.Number<std::uint64_t>();
  commit.id.server.incarnation = reader.Number<std::uint64_t>();
  commit.id.server.timeline = reader.Number<std::uint32_t>();
  const std::size_t slip = reader.Byte();
  const char wrong = static_cast<char>(reader.Byte());
  commit.database = reader.Rest();
  if (!IsDatabaseName(commit.database) || commit.id.transaction == 0) return;
  std::string token = ToCommitToken(commit);
  const auto read = FromCommitToken(token);
  Require(read.ok() && *read == commit, "a token reads back as its commit");
  char& slipped = token[slip % token.size()];
  if (slipped == wrong) return;
  slipped = wrong;
  Require(!FromCommitToken(token).ok(), "one wrong character makes it no token");
}

}  // namespace emsdb::fuzz
