#include "server/database_url.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <utility>

#include "absl/strings/str_format.h"
#include "server/postgres_uri.h"

namespace emsdb {
namespace {

using Parsed = std::variant<DatabaseUrl, UrlComplaint>;

constexpr char kMemory[] = ":memory:";

// What stands before "://", with SQLAlchemy's driver name ("+psycopg2") cut off; empty if the URL
// has no scheme.
std::string Scheme(const std::string& url) {
  const std::size_t end = url.find("://");
  if (end == std::string::npos) return "";
  const std::string scheme = url.substr(0, end);
  return scheme.substr(0, scheme.find('+'));
}

std::string AfterScheme(const std::string& url) { return url.substr(url.find("://") + 3); }

bool HasSpaceOrControl(const std::string& url) {
  return std::any_of(url.begin(), url.end(), [](unsigned char c) { return c <= ' ' || c == 0x7f; });
}

Parsed Sqlite(std::filesystem::path file) {
  file = file.lexically_normal();
  return DatabaseUrl{
      .engine = Engine::kSqlite, .connection = file.string(), .location = file.string()};
}

Parsed SqliteInMemory() {
  return DatabaseUrl{.engine = Engine::kSqlite, .connection = kMemory, .location = kMemory};
}

// `rest` is what follows "sqlite://": nothing, "/relative" or "//absolute".
Parsed ParseSqlite(const std::string& rest, const std::filesystem::path& data_dir) {
  if (rest.empty() || rest == "/:memory:") return SqliteInMemory();
  if (rest.front() != '/') {
    return UrlComplaint{
        "has a host, and SQLite has none: write sqlite:///relative/path or "
        "sqlite:////absolute/path"};
  }
  if (rest.find_first_of("?#%") != std::string::npos) {
    return UrlComplaint{
        "has ?, # or % behind sqlite://, which is neither a parameter nor a name here"};
  }
  const std::filesystem::path path = rest.substr(1);
  if (!path.has_filename()) {
    return UrlComplaint{"names no file: write sqlite:///name.db, or sqlite:// for memory"};
  }
  if (path.is_absolute()) return Sqlite(path);
  if (std::find(path.begin(), path.end(), "..") != path.end()) {
    return UrlComplaint{
        "leaves the data directory with ..: write sqlite:////absolute/path for a file elsewhere"};
  }
  return Sqlite(std::filesystem::absolute(data_dir) / path);
}

std::string Joined(const PostgresUri& uri) {
  std::string servers;
  for (const PostgresHost& host : uri.hosts) {
    if (!servers.empty()) servers += ",";
    servers += ShownServer(host);
  }
  return servers;
}

Parsed ParsePostgresql(const std::string& rest) {
  std::variant<PostgresUri, UrlComplaint> parsed = ParsePostgresUri(rest);
  if (const auto* complaint = std::get_if<UrlComplaint>(&parsed)) return *complaint;
  const PostgresUri& uri = std::get<PostgresUri>(parsed);
  return DatabaseUrl{.engine = Engine::kPostgresql,
                     .connection = "postgresql://" + rest,
                     .location = ShownServer(uri.hosts.front()) + "/" + uri.database,
                     .server = Joined(uri)};
}

}  // namespace

Parsed ParseDatabaseUrl(const std::string& url, const std::filesystem::path& data_dir) {
  if (HasSpaceOrControl(url)) {
    return UrlComplaint{"has a space or a control character in it: write it as %20 and the like"};
  }
  const std::string scheme = Scheme(url);
  if (scheme == "postgresql" || scheme == "postgres") return ParsePostgresql(AfterScheme(url));
  if (scheme == "sqlite") return ParseSqlite(AfterScheme(url), data_dir);
  return UrlComplaint{
      "is not a URL this gateway knows: it must begin with postgresql://, postgres://, "
      "postgresql+driver:// or sqlite://"};
}

std::string ServerOf(const DatabaseSettings& database) {
  if (database.engine != Engine::kPostgresql) return "";
  const Parsed parsed = ParseDatabaseUrl(database.connection, "");
  const auto* url = std::get_if<DatabaseUrl>(&parsed);
  return url ? url->server : "";
}

}  // namespace emsdb
