// What a database URL says, taken apart by the rules libpq itself uses, so that nothing of a
// password can end up in the part that is shown.
#ifndef EMSDB_SERVER_DATABASE_URL_H_
#define EMSDB_SERVER_DATABASE_URL_H_

#include <filesystem>
#include <string>
#include <variant>

#include "pool/database_settings.h"

namespace emsdb {

struct DatabaseUrl {
  Engine engine = Engine::kSqlite;
  std::string connection;  // as DatabaseSettings::connection: secret
  std::string location;    // as DatabaseSettings::location: fit to be shown
  std::string server;      // PostgreSQL: "host:port", several with commas between; SQLite: empty
};

// Why a URL is refused, as the end of a sentence that begins with the variable's name; never shows
// any part of the URL.
struct UrlComplaint {
  std::string text;
};

// Understands postgresql://, postgres://, postgresql+anything:// with several hosts and any
// parameter of libpq 15, and sqlite:// with an absolute path, one under `data_dir`, or memory.
// Nothing is opened or looked up.
std::variant<DatabaseUrl, UrlComplaint> ParseDatabaseUrl(const std::string& url,
                                                         const std::filesystem::path& data_dir);

// The same for a URL that has been taken apart before: what several databases are compared by.
// Empty for SQLite.
std::string ServerOf(const DatabaseSettings& database);

}  // namespace emsdb

#endif  // EMSDB_SERVER_DATABASE_URL_H_
