// The command line, as understood.
#ifndef EMSDB_CLIENT_CLI_OPTIONS_H_
#define EMSDB_CLIENT_CLI_OPTIONS_H_

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "client/cli/bench_options.h"
#include "client/cli/exit_status.h"
#include "client/cli/result_writer.h"
#include "client/options.h"
#include "client/pool_control.h"
#include "client/value.h"

namespace emsdb::client::cli {

struct QueryCommand {
  std::string database = "main";
  std::string sql;  // "-": to be read from standard input
  std::vector<Value> parameters;
  Access access = Access::kReadWrite;
  Resolving resolving = Resolving::kOff;
  Wrapping wrapping = Wrapping::kTransaction;
  Format format = Format::kTable;
};

struct OutcomeCommand {
  std::string token;
};

struct BatchCommand {
  std::string database = "main";
  std::string file;  // "-": standard input
  Format format = Format::kTable;
};

// Whether a CSV file's first record has the columns' names.
enum class Header { kFirstRecord, kNone };

struct LoadCommand {
  std::string database = "main";
  std::string file;  // "-": standard input
  std::string schema;
  std::string table;
  std::vector<std::string> columns;  // empty: the header's names, or all of the table's
  Header header = Header::kFirstRecord;
  std::string null_text;
  char delimiter = ',';
};

struct DatabasesCommand {
  Format format = Format::kTable;
};

enum class Watching { kOnce, kUntilTheEnd };

struct PoolsCommand {
  std::string database;  // empty: all
  Format format = Format::kTable;
  Watching watching = Watching::kOnce;
  double interval_seconds = 1;
};

// What an operator does to a pool.
struct OperateCommand {
  enum class Act { kPause, kResume, kReconnect, kResize };
  Act act = Act::kPause;
  std::string database;
  PoolSize size;  // for kResize
  Format format = Format::kTable;
};

struct HealthCommand {
  std::string database;  // empty: the process
};

// Files are named here and read later.
struct TlsFiles {
  bool enabled = false;
  std::string roots;
  std::string certificate;
  std::string key;
  std::string server_name;
};

struct Options {
  std::string address = "127.0.0.1:50051";
  std::string token;
  std::string token_file;
  std::string caller = "emsdb";
  TlsFiles tls;
  double deadline_seconds = 30;
  Priority usual_priority = Priority::kDefault;
  std::variant<QueryCommand, BatchCommand, LoadCommand, OutcomeCommand, DatabasesCommand,
               PoolsCommand, OperateCommand, HealthCommand, BenchCommand>
      command;
};

// What the program is to do, or the status it is to end with at once: after --help or --version,
// or after a mistake, which is then explained on standard error.
std::variant<Options, ExitStatus> ParseCommandLine(int argc, const char* const* argv);

}  // namespace emsdb::client::cli

#endif  // EMSDB_CLIENT_CLI_OPTIONS_H_
