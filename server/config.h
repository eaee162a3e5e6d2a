// The settings of the gateway: from the environment, as a map, to a Config that is fit for use, or
// to the list of everything that is wrong. No message shows a URL or any other secret.
#ifndef EMSDB_SERVER_CONFIG_H_
#define EMSDB_SERVER_CONFIG_H_

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "pool/database_settings.h"
#include "pool/settings.h"
#include "server/callers.h"

namespace emsdb {

// ENV. In production a database that cannot be reached at start ends the process.
enum class Mode { kDevelopment, kProduction };

// EMSDB_INSECURE: whether plain text may leave the machine.
enum class PlainText { kLoopbackOnly, kAnywhere };

// EMSDB_LOG_VALUES: whether values may be seen where they are not needed: bind values and what the
// database says of them in the log, and PostgreSQL's DETAIL there and in the error of the caller
// whose statement it was.
enum class BindValues { kHidden, kShown };

// PEM files. With a client CA, callers must show a certificate that it signed.
struct TlsFiles {
  std::string certificate;
  std::string key;
  std::string client_ca;  // empty: callers need no certificate
};

// Settings that were checked together: there is no Config with a bad value in it.
struct Config {
  // main, telehealth, fire, hems, then those of EMSDB_DATABASES in the order given there.
  std::vector<DatabaseSettings> databases;

  Mode mode = Mode::kDevelopment;
  std::string listen = "127.0.0.1:50051";         // host:port, [address]:port or unix:path
  std::string metrics_listen = "127.0.0.1:9464";  // host:port or [address]:port
  std::filesystem::path data_dir;                 // absolute
  std::optional<TlsFiles> tls;
  std::string tokens_file;                 // empty: none, and callers are believed
  std::shared_ptr<const Callers> callers;  // of the tokens file; null without one
  PlainText plain_text = PlainText::kLoopbackOnly;
  BindValues bind_values = BindValues::kHidden;
  Duration drain_timeout = std::chrono::seconds(10);
  Duration slow_reader_timeout = std::chrono::seconds(10);
  // What all results that are being built or sent may take together. The default is room for some
  // sixty of the largest, each of them about 8 MiB here, beside what else the process needs; and a
  // gigabyte, the usual smallest machine, is not used up by results alone.
  std::size_t result_memory = std::size_t{512} << 20;

  // The variables for pools that are set, although some database is in SQLite, where they are not
  // applied.
  std::vector<std::string> not_applied_to_sqlite;

  // What is odd, and no reason not to start; each names a variable.
  std::vector<std::string> warnings;
};

// Each names the variable and the rule it breaks.
using ConfigComplaints = std::vector<std::string>;

// The content of a file, or nothing if it cannot be read.
using FileReader = std::function<std::optional<std::string>(const std::string& path)>;
std::optional<std::string> ReadWholeFile(const std::string& path);

// Reads and checks the tokens file; each complaint begins with the variable's name.
std::variant<std::shared_ptr<const Callers>, ConfigComplaints> ReadCallers(
    const std::string& path, const std::vector<DatabaseSettings>& databases,
    const FileReader& read_file = ReadWholeFile);

// Opens no database and no port. `read_file` is asked for the files that settings name.
std::variant<Config, ConfigComplaints> ParseConfig(const Settings& environment,
                                                   const FileReader& read_file = ReadWholeFile);

}  // namespace emsdb

#endif  // EMSDB_SERVER_CONFIG_H_
