#include "server/config_databases.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "pool/tier.h"
#include "server/database_url.h"
#include "server/variables.h"

namespace emsdb {
namespace {

constexpr char kDatabases[] = "EMSDB_DATABASES";
constexpr char kMainFile[] = "sqlite:///main.db";
constexpr std::size_t kLongestName = 63;

const std::vector<std::string>& StandardNames() {
  static const auto& names = *new std::vector<std::string>{"main", "telehealth", "fire", "hems"};
  return names;
}

bool IsName(const std::string& name) {
  if (name.empty() || name.size() > kLongestName || !absl::ascii_islower(name.front()))
    return false;
  return std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '_';
  });
}

void AddName(SettingReader& reader, const std::string& name, std::vector<std::string>& names) {
  if (!IsName(name)) {
    reader.Complain(absl::StrFormat(
        "%s has a name that is %s: names are lower-case letters, digits and _, begin with a letter "
        "and are divided by commas alone",
        kDatabases, ShownWord(name)));
    return;
  }
  if (std::find(names.begin(), names.end(), name) != names.end()) {
    reader.Complain(absl::StrFormat("%s has '%s', which is there already", kDatabases, name));
    return;
  }
  names.push_back(name);
}

std::string WithoutLastNewline(std::string content) {
  if (content.ends_with('\n')) content.pop_back();
  if (content.ends_with('\r')) content.pop_back();
  return content;
}

// A URL and the variable that it came from, which is the one to be named in complaints.
struct GivenUrl {
  std::string variable;
  std::string url;
};

// The lookup of one URL; knows main's, which others fall back to.
class UrlReader {
 public:
  UrlReader(SettingReader& reader, const Config& config, const FileReader& read_file)
      : reader_(reader), config_(config), read_file_(read_file) {}

  // Nothing if there is a complaint. `database` may be any but main.
  std::optional<GivenUrl> Of(const std::string& database, const std::optional<GivenUrl>& main) {
    const std::string variable = UrlVariable(database);
    if (IsGiven(variable)) return Given(variable);
    const std::vector<std::string>& standard = StandardNames();
    if (std::find(standard.begin(), standard.end(), database) != standard.end()) return main;
    reader_.Complain(absl::StrFormat("%s is not set, and %s names %s: say where it is", variable,
                                     kDatabases, database));
    return std::nullopt;
  }

  std::optional<GivenUrl> OfMain() {
    const std::string variable = UrlVariable("main");
    if (IsGiven(variable)) return Given(variable);
    if (config_.mode != Mode::kProduction) return GivenUrl{variable, kMainFile};
    reader_.Complain(absl::StrFormat("%s is not set: in production it must be", variable));
    return std::nullopt;
  }

 private:
  bool IsGiven(const std::string& variable) const {
    return reader_.IsSet(variable) || reader_.IsSet(variable + "_FILE");
  }

  std::optional<GivenUrl> Given(const std::string& variable) {
    const std::string file_variable = variable + "_FILE";
    if (reader_.IsSet(variable) && reader_.IsSet(file_variable)) {
      reader_.Complain(
          absl::StrFormat("%s and %s are both set: unset one", variable, file_variable));
      return std::nullopt;
    }
    if (reader_.IsSet(file_variable)) return FromFile(file_variable);
    std::optional<std::string> url = reader_.Text(variable);
    if (!url) return std::nullopt;
    return GivenUrl{variable, *std::move(url)};
  }

  std::optional<GivenUrl> FromFile(const std::string& variable) {
    const std::optional<std::string> path = reader_.Text(variable);
    if (!path) return std::nullopt;
    std::optional<std::string> content = read_file_(*path);
    if (!content) {
      reader_.Complain(absl::StrFormat("%s names a file that cannot be read", variable));
      return std::nullopt;
    }
    std::string url = WithoutLastNewline(*std::move(content));
    if (url.empty()) {
      reader_.Complain(absl::StrFormat("%s names a file that is empty", variable));
      return std::nullopt;
    }
    return GivenUrl{variable, std::move(url)};
  }

  SettingReader& reader_;
  const Config& config_;
  const FileReader& read_file_;
};

std::optional<DatabaseSettings> Placed(SettingReader& reader, const std::string& name,
                                       const GivenUrl& given, const Config& config) {
  auto parsed = ParseDatabaseUrl(given.url, config.data_dir);
  if (const auto* complaint = std::get_if<UrlComplaint>(&parsed)) {
    reader.Complain(absl::StrFormat("%s %s", given.variable, complaint->text));
    return std::nullopt;
  }
  auto& url = std::get<DatabaseUrl>(parsed);
  return DatabaseSettings{.name = name,
                          .engine = url.engine,
                          .connection = std::move(url.connection),
                          .location = std::move(url.location)};
}

void AddLimits(SettingReader& reader, ChosenLimits chosen, DatabaseSettings& database) {
  if (database.engine == Engine::kPostgresql) {
    for (const std::string& complaint : Complaints(chosen.limits)) {
      reader.Complain(absl::StrFormat("%s (for database %s)", complaint, database.name));
    }
  }
  database.tier = std::move(chosen.tier);
  database.limits = chosen.limits;
}

}  // namespace

std::vector<std::string> DatabaseNames(SettingReader& reader) {
  std::vector<std::string> names = StandardNames();
  const std::optional<std::string> further = reader.Text(kDatabases);
  if (!further) return names;
  const std::vector<std::string> parts = absl::StrSplit(*further, ',');
  for (const std::string& part : parts) AddName(reader, part, names);
  return names;
}

std::vector<DatabaseSettings> ReadDatabases(SettingReader& reader,
                                            const std::vector<std::string>& names,
                                            const Config& config, const FileReader& read_file) {
  UrlReader urls(reader, config, read_file);
  const std::optional<GivenUrl> main = urls.OfMain();
  std::vector<DatabaseSettings> databases;
  for (const std::string& name : names) {
    ChosenLimits chosen = ChooseLimits(reader, name);
    const std::optional<GivenUrl> given = name == "main" ? main : urls.Of(name, main);
    if (!given) continue;
    std::optional<DatabaseSettings> database = Placed(reader, name, *given, config);
    if (!database) continue;
    AddLimits(reader, std::move(chosen), *database);
    databases.push_back(*std::move(database));
  }
  return databases;
}

}  // namespace emsdb
