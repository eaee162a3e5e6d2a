#include "server/variables.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "pool/tier.h"

namespace emsdb {
namespace {

constexpr char kOurs[] = "EMSDB_";
constexpr char kUrl[] = "DATABASE_URL";
constexpr char kMainUrlElsewhere[] = "MAIN_DATABASE_URL";

bool Contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Known names, with the _FILE forms and those for one database.
std::vector<std::string> AllNames(const std::vector<std::string>& databases) {
  std::vector<std::string> names = KnownVariables();
  for (const std::string& database : databases) {
    names.push_back(UrlVariable(database));
    names.push_back(UrlVariable(database) + "_FILE");
    for (const std::string& name : PoolVariablesOf(database)) names.push_back(name);
  }
  return names;
}

std::string Suggestion(const std::string& name, const std::vector<std::string>& known) {
  const std::string nearest = Nearest(name, known);
  return nearest.empty() ? "" : absl::StrFormat("; did you mean %s?", nearest);
}

bool BelongsToAPool(const std::string& name, const std::vector<std::string>& databases) {
  return std::any_of(databases.begin(), databases.end(), [&](const std::string& database) {
    return name.starts_with(VariablePrefix(database) + "DB_");
  });
}

bool IsUrlOfSomeDatabase(const std::string& name) {
  return name.ends_with(std::string("_") + kUrl) ||
         name.ends_with(std::string("_") + kUrl + "_FILE");
}

// Why `name`, which is not among `known`, looks as if it were meant for the gateway; else empty.
std::string Oddity(const std::string& name, const std::vector<std::string>& known,
                   const std::vector<std::string>& databases) {
  if (BelongsToAPool(name, databases)) {
    return absl::StrFormat("%s is not used: it is no setting of one database%s", name,
                           Suggestion(name, known));
  }
  if (IsUrlOfSomeDatabase(name)) {
    return absl::StrFormat("%s is not used: EMSDB_DATABASES names no such database%s", name,
                           Suggestion(name, known));
  }
  const std::string suggestion = Suggestion(name, known);
  if (suggestion.empty()) return "";
  return absl::StrFormat("%s is not used%s", name, suggestion);
}

void ComplainOfOurs(SettingReader& reader, const std::string& name,
                    const std::vector<std::string>& known) {
  reader.Complain(
      absl::StrFormat("%s is no setting of the gateway%s", name, Suggestion(name, known)));
}

}  // namespace

std::vector<std::string> KnownVariables() {
  std::vector<std::string> names = {
      kUrl, "TELEHEALTH_DATABASE_URL", "FIRE_DATABASE_URL", "HEMS_DATABASE_URL", "EMSDB_DATABASES",
      "ENV", "ENVIRONMENT", "EMSDB_LISTEN", "EMSDB_METRICS_LISTEN", "EMSDB_DATA_DIR",
      "EMSDB_TLS_CERT", "EMSDB_TLS_KEY", "EMSDB_TLS_CLIENT_CA", "EMSDB_TOKENS_FILE",
      "EMSDB_INSECURE", "EMSDB_DRAIN_TIMEOUT", "EMSDB_LOG_VALUES", "EMSDB_RESULT_MEMORY",
      "EMSDB_SESSION_RESET", "EMSDB_SLOW_READER_TIMEOUT", "EMSDB_STATEMENT_CACHE",
      // Read by the command line client; often set in the same environment.
      "EMSDB_ADDRESS", "EMSDB_TOKEN"};
  for (const std::string& name : PoolVariables()) names.push_back(name);
  std::sort(names.begin(), names.end());
  return names;
}

std::string UrlVariable(const std::string& database) {
  return database == "main" ? kUrl : VariablePrefix(database) + kUrl;
}

std::vector<std::string> CheckNames(SettingReader& reader,
                                    const std::vector<std::string>& databases) {
  const std::vector<std::string> known = AllNames(databases);
  std::vector<std::string> warnings;
  for (const auto& [name, value] : reader.settings()) {
    if (Contains(known, name)) continue;
    if (name.starts_with(kOurs)) {
      ComplainOfOurs(reader, name, known);
    } else if (name == kMainUrlElsewhere || name == std::string(kMainUrlElsewhere) + "_FILE") {
      reader.Complain(absl::StrFormat("%s is set: main's URL is the one in DATABASE_URL", name));
    } else if (std::string oddity = Oddity(name, known, databases); !oddity.empty()) {
      warnings.push_back(std::move(oddity));
    }
  }
  return warnings;
}

}  // namespace emsdb
