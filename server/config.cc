#include "server/config.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"
#include "pool/tier.h"
#include "server/config_databases.h"
#include "server/listen_address.h"
#include "server/tokens_file.h"
#include "server/variables.h"

namespace emsdb {
namespace {

// A secret or a certificate is small; a device or a log file named by mistake is not.
constexpr std::streamsize kLargestFile = 1 << 20;

const SecondsRule kDrainRule = {
    .least = 0, .most = 86400, .rule = "must be seconds from 0 (do not wait) to 86400"};
const SecondsRule kSlowReaderRule = {
    .least = 0.001, .most = 86400, .rule = "must be seconds from 0.001 to 86400"};

const NumberRule kStatementCacheRule = {
    .least = 0, .most = 10000, .rule = "must be a number of statements from 0 (none) to 10000"};
// Less would not hold one result of the largest size.
const NumberRule kResultMemoryRule = {
    .least = 16, .most = 1 << 20, .rule = "must be mebibytes from 16 to 1048576"};

// ENV=prod must not become development by a slip of the pen.
bool IsNearlyProduction(const std::string& value) {
  const std::string lower = absl::AsciiStrToLower(value);
  return lower == "production" || lower == "prod" || !Nearest(lower, {"production"}).empty();
}

Mode ReadMode(SettingReader& reader) {
  const std::optional<std::string> env = reader.Text("ENV");
  const std::optional<std::string> environment = reader.Text("ENVIRONMENT");
  if (env && environment && *env != *environment) {
    reader.Complain(absl::StrFormat("ENV is %s and ENVIRONMENT is %s: they must agree",
                                    ShownWord(*env), ShownWord(*environment)));
  }
  const std::string value = env.value_or(environment.value_or("development"));
  if (value == "production") return Mode::kProduction;
  if (IsNearlyProduction(value)) {
    reader.Complain(absl::StrFormat("%s is %s: write production in full and in small letters",
                                    env ? "ENV" : "ENVIRONMENT", ShownWord(value)));
  }
  return Mode::kDevelopment;
}

void ReadText(SettingReader& reader, const std::string& name, std::string& value) {
  if (std::optional<std::string> text = reader.Text(name)) value = *std::move(text);
}

void ReadSeconds(SettingReader& reader, const std::string& name, const SecondsRule& rule,
                 Duration& value) {
  if (const std::optional<Duration> seconds = reader.Seconds(name, rule)) value = *seconds;
}

template <typename Enum>
void ReadSwitch(SettingReader& reader, const std::string& name, Enum on, Enum& value) {
  if (reader.OneOf(name, {"0", "1"}) == std::size_t{1}) value = on;
}

// One for all: what travels with a statement is no matter of one database.
void ReadSessionReset(SettingReader& reader, std::vector<DatabaseSettings>& databases) {
  if (reader.OneOf("EMSDB_SESSION_RESET", {"dirty", "always"}) != std::size_t{1}) return;
  for (DatabaseSettings& database : databases) {
    database.session_reset = SessionReset::kBeforeEveryUse;
    // There would be a reset between any two of a group.
    if (database.engine == Engine::kPostgresql) database.limits.group_reads = false;
  }
}

void ReadStatementCache(SettingReader& reader, std::vector<DatabaseSettings>& databases) {
  const auto statements = reader.WholeNumber("EMSDB_STATEMENT_CACHE", kStatementCacheRule);
  if (!statements) return;
  for (DatabaseSettings& database : databases) database.statement_cache = *statements;
}

void ReadResultMemory(SettingReader& reader, std::size_t& bytes) {
  const auto mebibytes = reader.WholeNumber("EMSDB_RESULT_MEMORY", kResultMemoryRule);
  if (mebibytes) bytes = static_cast<std::size_t>(*mebibytes) << 20;
}

// The reading of TLS files: each must be there, and look like what it is for.
class TlsReader {
 public:
  TlsReader(SettingReader& reader, const FileReader& read_file)
      : reader_(reader), read_file_(read_file) {}

  std::optional<TlsFiles> Read() {
    TlsFiles files{Pem("EMSDB_TLS_CERT"), Pem("EMSDB_TLS_KEY"), Pem("EMSDB_TLS_CLIENT_CA")};
    Require("EMSDB_TLS_CERT", "EMSDB_TLS_KEY");
    Require("EMSDB_TLS_KEY", "EMSDB_TLS_CERT");
    Require("EMSDB_TLS_CLIENT_CA", "EMSDB_TLS_CERT");
    if (files.certificate.empty()) return std::nullopt;
    return files;
  }

 private:
  // The path; empty if it is not set or unfit. The value is not shown: it may be the key itself.
  std::string Pem(const std::string& name) {
    const std::optional<std::string> path = reader_.Text(name);
    if (!path) return "";
    const std::optional<std::string> content = read_file_(*path);
    if (!content) {
      reader_.Complain(absl::StrFormat("%s names a file that cannot be read", name));
      return "";
    }
    if (content->find("-----BEGIN ") != std::string::npos) return *path;
    reader_.Complain(absl::StrFormat("%s names a file that is not PEM", name));
    return "";
  }

  void Require(const std::string& given, const std::string& needed) {
    if (!reader_.IsSet(given) || reader_.IsSet(needed)) return;
    reader_.Complain(absl::StrFormat("%s is set and %s is not: TLS needs both", given, needed));
  }

  SettingReader& reader_;
  const FileReader& read_file_;
};

enum class Sockets { kTcpOnly, kTcpAndUnix };

// Reads an address and answers what it is; the default is fit.
std::optional<ListenAddress> ReadListen(SettingReader& reader, const std::string& name,
                                        Sockets sockets, std::string& value) {
  ReadText(reader, name, value);
  std::optional<ListenAddress> address = ParseListenAddress(value);
  if (address && (sockets == Sockets::kTcpAndUnix || !address->is_unix)) return address;
  reader.Complain(absl::StrFormat(
      "%s is %s: must be host:port or [IPv6 address]:port%s, with a "
      "port from 0 (any that is free) to 65535",
      name, ShownNumber(value), sockets == Sockets::kTcpAndUnix ? ", or unix:path" : ""));
  return std::nullopt;
}

bool SamePort(const ListenAddress& a, const ListenAddress& b) {
  return !a.is_unix && !b.is_unix && a.port != 0 && a.port == b.port && a.host == b.host;
}

void ReadAddresses(SettingReader& reader, Config& config) {
  const auto grpc = ReadListen(reader, "EMSDB_LISTEN", Sockets::kTcpAndUnix, config.listen);
  const auto http =
      ReadListen(reader, "EMSDB_METRICS_LISTEN", Sockets::kTcpOnly, config.metrics_listen);
  if (grpc && http && SamePort(*grpc, *http)) {
    reader.Complain("EMSDB_LISTEN and EMSDB_METRICS_LISTEN are the same: give them two ports");
  }
  if (config.plain_text == PlainText::kAnywhere) return;
  if (grpc && grpc->reach == Reach::kBeyond && !reader.IsSet("EMSDB_TLS_CERT")) {
    reader.Complain(
        "EMSDB_LISTEN is not a loopback address, and without TLS patient data would travel in "
        "plain text: set EMSDB_TLS_CERT and EMSDB_TLS_KEY, or EMSDB_INSECURE=1 where the network "
        "itself is protected");
  }
  if (http && http->reach == Reach::kBeyond) {
    reader.Complain(
        "EMSDB_METRICS_LISTEN is not a loopback address, and it is always plain text: set "
        "EMSDB_INSECURE=1 where the network itself is protected");
  }
}

// Without the file nobody would be known, so that one that is bad ends the start.
void ReadTokens(SettingReader& reader, Config& config, const FileReader& read_file) {
  const std::optional<std::string> path = reader.Text("EMSDB_TOKENS_FILE");
  if (!path) return;
  config.tokens_file = *path;
  auto read = ReadCallers(*path, config.databases, read_file);
  if (auto* complaints = std::get_if<ConfigComplaints>(&read)) {
    for (std::string& complaint : *complaints) reader.Complain(std::move(complaint));
    return;
  }
  config.callers = std::get<std::shared_ptr<const Callers>>(std::move(read));
  const auto listen = ParseListenAddress(config.listen);
  if (!config.tls && listen && listen->reach == Reach::kBeyond) {
    config.warnings.push_back(
        "EMSDB_TOKENS_FILE is set, EMSDB_LISTEN is not a loopback address and there is no TLS: "
        "bearer tokens travel in plain text, for everybody on the way to read");
  }
}

void ReadDataDir(SettingReader& reader, Config& config) {
  std::string data_dir = "./data";
  ReadText(reader, "EMSDB_DATA_DIR", data_dir);
  config.data_dir = std::filesystem::absolute(data_dir).lexically_normal();
}

// Which variables for pools are set and not applied to some database in SQLite.
std::vector<std::string> NotApplied(const SettingReader& reader,
                                    const std::vector<DatabaseSettings>& databases) {
  std::vector<std::string> names;
  const auto add = [&](const std::vector<std::string>& candidates) {
    for (const std::string& name : candidates) {
      const bool known = std::find(names.begin(), names.end(), name) != names.end();
      if (reader.IsSet(name) && !known && !name.starts_with("EMSDB_")) names.push_back(name);
    }
  };
  for (const DatabaseSettings& database : databases) {
    if (database.engine != Engine::kSqlite) continue;
    add(PoolVariables());
    add(PoolVariablesOf(database.name));
  }
  return names;
}

}  // namespace

std::optional<std::string> ReadWholeFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::string content(kLargestFile + 1, '\0');
  file.read(content.data(), static_cast<std::streamsize>(content.size()));
  if (file.bad() || !file.eof()) return std::nullopt;
  content.resize(static_cast<std::size_t>(file.gcount()));
  return content;
}

std::variant<std::shared_ptr<const Callers>, ConfigComplaints> ReadCallers(
    const std::string& path, const std::vector<DatabaseSettings>& databases,
    const FileReader& read_file) {
  const std::optional<std::string> content = read_file(path);
  if (!content) return ConfigComplaints{"EMSDB_TOKENS_FILE names a file that cannot be read"};
  std::vector<std::string> names;
  names.reserve(databases.size());
  for (const DatabaseSettings& database : databases) names.push_back(database.name);
  auto parsed = ParseTokensFile(*content, names);
  if (auto* complaints = std::get_if<TokensComplaints>(&parsed)) {
    for (std::string& complaint : *complaints) complaint.insert(0, "EMSDB_TOKENS_FILE: ");
  }
  return parsed;
}

std::variant<Config, ConfigComplaints> ParseConfig(const Settings& environment,
                                                   const FileReader& read_file) {
  SettingReader reader(environment);
  Config config;
  config.mode = ReadMode(reader);
  ReadDataDir(reader, config);
  const std::vector<std::string> names = DatabaseNames(reader);
  config.databases = ReadDatabases(reader, names, config, read_file);
  ReadSessionReset(reader, config.databases);
  ReadStatementCache(reader, config.databases);
  ReadResultMemory(reader, config.result_memory);
  config.not_applied_to_sqlite = NotApplied(reader, config.databases);
  config.tls = TlsReader(reader, read_file).Read();
  ReadSwitch(reader, "EMSDB_INSECURE", PlainText::kAnywhere, config.plain_text);
  ReadSwitch(reader, "EMSDB_LOG_VALUES", BindValues::kShown, config.bind_values);
  ReadAddresses(reader, config);
  ReadTokens(reader, config, read_file);
  ReadSeconds(reader, "EMSDB_DRAIN_TIMEOUT", kDrainRule, config.drain_timeout);
  ReadSeconds(reader, "EMSDB_SLOW_READER_TIMEOUT", kSlowReaderRule, config.slow_reader_timeout);
  for (std::string& warning : CheckNames(reader, names)) {
    config.warnings.push_back(std::move(warning));
  }
  if (reader.complaints().empty()) return config;
  return reader.complaints();
}

}  // namespace emsdb
