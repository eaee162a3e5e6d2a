#include "client/cli/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <iostream>
#include <string_view>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "client/cli/parameters.h"

namespace emsdb::client::cli {
namespace {

constexpr char kFooter[] = R"(
Parameters ($1, $2, ... in the order given):
  --param TEXT         text; the database infers the type, so --param 42 fits an integer column
  --param-json JSON    exactly null, true, 42, 1.5, "text" or {"hex": "00ff"}
  --param-hex DIGITS   bytes

Formats:
  table  for people; control characters in cells are escaped
  csv    RFC 4180 (CRLF); NULL is an empty field, the empty text is "", bytes are \x00ff
  json   {"columns":[{"name","type"}],"rows":[[...]],"row_count":n,"rows_affected":n,"command":""}
         cells by position; int64 with all digits, numeric as string, NaN and Infinity as strings,
         bytes as "\\x00ff". Without its end the result was not whole: see the exit status.

Batch files: an SQL script, or JSON:
  [{"sql": "update t set n = n - $1 where id = $2", "params": [5, 1], "expect_rows": 1}, ...]

CSV files for load: RFC 4180, with LF or CRLF; an empty field is NULL, "" is the empty text. All rows
are one transaction. An error names the file's line, and then nothing was written.

Environment: EMSDB_ADDRESS, EMSDB_TOKEN (a bearer token; no option, since others could read it).

Exit status:
  0  done; `pools --watch`: it showed something until its time was over or Ctrl-C was pressed
  1  the answer could not be written to standard output
  2  the command line is wrong, or a file it names
  3  refused: the gateway or the database said no; or a text is not UTF-8 or has U+0000 in it, and
     nothing was sent; `outcome`: rolled back
  4  unreachable, and nothing was done; `health`: not serving
  5  outcome unknown: a write may have been done or not, or a result was not whole; `outcome`: in
     progress, ask again
  6  given up: deadline, cancelled, or something was used up; where a write may have been done all
     the same, standard error says so
)";

// CLI11 takes "--param=" for a missing value and would eat the next argument.
std::vector<std::string> SplitEmptyValues(int argc, const char* const* argv) {
  std::vector<std::string> out;
  bool only_positionals = false;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    only_positionals = only_positionals || argument == "--";
    if (!only_positionals && argument.starts_with("--param") && argument.ends_with("=") &&
        argument.find('=') + 1 == argument.size()) {
      out.push_back(argument.substr(0, argument.size() - 1));
      out.emplace_back();
    } else {
      out.push_back(argument);
    }
  }
  return out;
}

constexpr double kLongestSeconds = 3600;

// CLI11's own range lets NaN through, and no clock has such a time.
std::string CheckDeadline(const std::string& given) {
  double seconds = 0;
  const bool in_range =
      absl::SimpleAtod(given, &seconds) && seconds >= 0.001 && seconds <= kLongestSeconds;
  return in_range ? "" : "must be a number of seconds from 0.001 to 3600";
}

std::string CheckInterval(const std::string& given) {
  double seconds = 0;
  const bool in_range =
      absl::SimpleAtod(given, &seconds) && seconds >= 0.1 && seconds <= kLongestSeconds;
  return in_range ? "" : "must be a number of seconds from 0.1 to 3600";
}

constexpr std::array<std::pair<std::string_view, Priority>, 4> kPriorities{
    {{"dispatch", Priority::kDispatch},
     {"clinical", Priority::kClinical},
     {"operations", Priority::kOperations},
     {"reporting", Priority::kReporting}}};

void AddPriority(CLI::App& app, Priority& priority) {
  const auto choose = [&priority](const std::string& given) {
    const auto found = std::find_if(kPriorities.begin(), kPriorities.end(),
                                    [&given](const auto& known) { return known.first == given; });
    if (found == kPriorities.end()) {
      throw CLI::ValidationError("--priority",
                                 "must be dispatch, clinical, operations or reporting");
    }
    priority = found->second;
  };
  app.add_option_function<std::string>("--priority", choose,
                                       "Which calls go first when "
                                       "connections are short")
      ->option_text("dispatch|clinical|operations|reporting");
}

void AddConnection(CLI::App& app, Options& options) {
  app.add_option("--address", options.address, "The gateway, host:port")
      ->envname("EMSDB_ADDRESS")
      ->capture_default_str();
  app.add_option("--deadline", options.deadline_seconds,
                 "Seconds the whole call may take; `load`: 300")
      ->check(CLI::Validator(&CheckDeadline, "0.001 to 3600"))
      ->capture_default_str();
  app.add_option("--caller", options.caller, "A label for the gateway's log")
      ->capture_default_str();
  AddPriority(app, options.usual_priority);
  app.add_option("--token-file", options.token_file, "A file with the bearer token");
  app.add_flag("--tls", options.tls.enabled, "Use TLS, with the system's roots");
  app.add_option("--tls-ca", options.tls.roots, "TLS with the roots in this PEM file");
  app.add_option("--tls-cert", options.tls.certificate, "This client's certificate, PEM file");
  app.add_option("--tls-key", options.tls.key, "Its key, PEM file");
  app.add_option("--tls-server-name", options.tls.server_name,
                 "The name expected in the gateway's certificate");
}

constexpr double kLoadSeconds = 300;

constexpr std::array<std::pair<std::string_view, Format>, 3> kFormats{
    {{"table", Format::kTable}, {"json", Format::kJson}, {"csv", Format::kCsv}}};

// `count`: how many of kFormats the command has.
void AddFormat(CLI::App& command, Format& format, std::size_t count, const char* names) {
  const auto choose = [&format, count, names](const std::string& given) {
    const auto end = kFormats.begin() + static_cast<std::ptrdiff_t>(count);
    const auto found = std::find_if(kFormats.begin(), end,
                                    [&given](const auto& known) { return known.first == given; });
    if (found == end) {
      throw CLI::ValidationError("--format", "must be one of " + std::string(names));
    }
    format = found->second;
  };
  command.add_option_function<std::string>("--format", choose, "How to write the answer")
      ->option_text(names);
}

void AddAnyFormat(CLI::App& command, Format& format) {
  AddFormat(command, format, 3, "table|csv|json");
}

void AddTableOrJson(CLI::App& command, Format& format) {
  AddFormat(command, format, 2, "table|json");
}

// All kinds of parameters go into one list, in the order of the command line.
void AddParameter(CLI::App& command, const char* name, const char* text, const char* help,
                  std::vector<Value>& into, absl::StatusOr<Value> (*parse)(const std::string&)) {
  command
      .add_option_function<std::string>(
          name,
          [name, parse, &into](const std::string& given) {
            absl::StatusOr<Value> value = parse(given);
            if (!value.ok())
              throw CLI::ValidationError(name, std::string(value.status().message()));
            into.push_back(*std::move(value));
          },
          help)
      ->option_text(text)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast)
      ->trigger_on_parse();
}

void AddQuery(CLI::App& app, QueryCommand& query) {
  CLI::App& command = *app.add_subcommand("query", "Run one statement and print its rows");
  command.fallthrough();
  command.add_option("--db", query.database, "The logical database")->capture_default_str();
  AddParameter(command, "--param", "TEXT ...", "The next parameter, as text", query.parameters,
               [](const std::string& text) -> absl::StatusOr<Value> { return Value(text); });
  AddParameter(command, "--param-json", "JSON ...", "The next parameter, of an exact kind",
               query.parameters, &ValueFromJsonText);
  AddParameter(command, "--param-hex", "DIGITS ...", "The next parameter, as bytes",
               query.parameters, [](const std::string& text) { return ValueFromHex(text); });
  command.add_flag_callback(
      "--read-only", [&query] { query.access = Access::kReadOnly; },
      "Let the database refuse writes; a lost call is then repeated");
  command.add_flag_callback(
      "--resolvable", [&query] { query.resolving = Resolving::kOn; },
      "Have a write whose answer is lost cleared up by `emsdb outcome`; at most 10,000 rows");
  command.add_flag_callback(
      "--outside-transaction", [&query] { query.wrapping = Wrapping::kNone; },
      "For VACUUM, CREATE INDEX CONCURRENTLY and their like; not with the two above");
  AddAnyFormat(command, query.format);
  command.add_option("SQL", query.sql, "One statement; - reads it from standard input")->required();
}

void AddBatch(CLI::App& app, BatchCommand& batch) {
  CLI::App& command = *app.add_subcommand("batch", "Run a file of statements as one transaction");
  command.fallthrough();
  command.add_option("--db", batch.database, "The logical database")->capture_default_str();
  AddTableOrJson(command, batch.format);
  command.add_option("FILE", batch.file, "An SQL script or JSON; - is standard input")->required();
}

char DelimiterFrom(const std::string& given) {
  const std::string delimiter = given == "\\t" ? "\t" : given;
  const bool fits = delimiter.size() == 1 && static_cast<unsigned char>(delimiter[0]) < 0x80 &&
                    std::string_view("\"\r\n").find(delimiter[0]) == std::string_view::npos;
  if (!fits) {
    throw CLI::ValidationError(
        "--delimiter", "must be one ASCII character, and no quote or line end; \\t is a tab");
  }
  return delimiter[0];
}

void AddLoad(CLI::App& app, LoadCommand& load) {
  CLI::App& command = *app.add_subcommand("load", "Write a CSV file into a table, all or nothing");
  command.fallthrough();
  command.add_option("--db", load.database, "The logical database")->capture_default_str();
  command.add_option("--schema", load.schema, "The table's schema; without it the search path's");
  command
      .add_option_function<std::string>(
          "--columns",
          [&load](const std::string& names) { load.columns = absl::StrSplit(names, ','); },
          "Names in place of the header's")
      ->option_text("A,B,...");
  command.add_flag_callback(
      "--no-header", [&load] { load.header = Header::kNone; },
      "The first record is a row; all columns of the table, unless --columns says others");
  command.add_flag_callback(
      "--header", [&load] { load.header = Header::kFirstRecord; },
      "The first record has the columns' names (the default)");
  command.add_option("--null", load.null_text,
                     "What stands for NULL where it is not quoted; an empty field by default");
  command
      .add_option_function<std::string>(
          "--delimiter",
          [&load](const std::string& given) { load.delimiter = DelimiterFrom(given); },
          "Between fields; a comma by default")
      ->option_text("C");
  command.add_option("FILE", load.file, "A CSV file; - is standard input")->required();
  command.add_option("TABLE", load.table, "The table's name as it is, never quoted")->required();
}

void AddOutcome(CLI::App& app, OutcomeCommand& outcome) {
  CLI::App& command = *app.add_subcommand(
      "outcome", "Ask what became of a commit whose answer was lost, by its token");
  command.fallthrough();
  command.add_option("TOKEN", outcome.token, "As the error showed it")->required();
}

void AddAdministration(CLI::App& app, DatabasesCommand& databases, PoolsCommand& pools,
                       HealthCommand& health) {
  CLI::App& list = *app.add_subcommand("databases", "List the logical databases");
  list.fallthrough();
  AddTableOrJson(list, databases.format);
  CLI::App& status = *app.add_subcommand("pools", "Show how the pools do");
  status.fallthrough();
  status.add_option("--db", pools.database, "Only the pool of this database");
  AddTableOrJson(status, pools.format);
  CLI::Option* watch = status.add_flag_callback(
      "--watch", [&pools] { pools.watching = Watching::kUntilTheEnd; },
      "Go on until Ctrl-C, or for --deadline seconds; an hour at most");
  status.add_option("--interval", pools.interval_seconds, "Seconds between two looks")
      ->check(CLI::Validator(&CheckInterval, "0.1 to 3600"))
      ->capture_default_str()
      ->needs(watch);
  CLI::App& check = *app.add_subcommand("health", "Ask whether the gateway, or a database, serves");
  check.fallthrough();
  check.add_option("DB", health.database, "A logical database; without it the gateway itself");
}

CLI::App& AddAct(CLI::App& app, const char* name, const char* help, OperateCommand::Act act,
                 OperateCommand& operate) {
  CLI::App& command = *app.add_subcommand(name, help);
  command.fallthrough();
  command.add_option("DB", operate.database, "The logical database")->required();
  AddTableOrJson(command, operate.format);
  command.parse_complete_callback([act, &operate] { operate.act = act; });
  return command;
}

void AddOperating(CLI::App& app, OperateCommand& operate) {
  using Act = OperateCommand::Act;
  AddAct(app, "pause", "For operators: let calls to a database wait, while what runs goes on",
         Act::kPause, operate);
  AddAct(app, "resume", "For operators: end a pause", Act::kResume, operate);
  AddAct(app, "reconnect", "For operators: replace every connection to a database", Act::kReconnect,
         operate);
  CLI::App& resize = AddAct(app, "resize", "For operators: change a pool's limits while it lives",
                            Act::kResize, operate);
  CLI::Option_group& limits = *resize.add_option_group("limits");
  limits.add_option("--size", operate.size.size, "Connections that are kept");
  limits.add_option("--overflow", operate.size.max_overflow, "Connections beyond them, on demand");
  limits.require_option(1, 2);
}

}  // namespace

std::variant<Options, ExitStatus> ParseCommandLine(int argc, const char* const* argv) {
  Options options;
  QueryCommand query;
  BatchCommand batch;
  LoadCommand load;
  OutcomeCommand outcome;
  DatabasesCommand databases;
  PoolsCommand pools;
  OperateCommand operate;
  HealthCommand health;
  BenchCommand bench;

  CLI::App app("The command line client of the EMS database gateway.", "emsdb");
  app.set_version_flag("--version", "emsdb " EMSDB_VERSION);
  app.footer(kFooter);
  app.require_subcommand(1);
  AddConnection(app, options);
  AddQuery(app, query);
  AddBatch(app, batch);
  AddLoad(app, load);
  AddOutcome(app, outcome);
  AddAdministration(app, databases, pools, health);
  AddOperating(app, operate);
  AddBench(app, bench);
  try {
    std::vector<std::string> arguments = SplitEmptyValues(argc, argv);
    std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants them
    app.parse(std::move(arguments));
  } catch (const CLI::ParseError& error) {
    const bool asked = app.exit(error, std::cout, std::cerr) == 0;
    return asked ? ExitStatus::kOk : ExitStatus::kUsage;
  }

  if (app.got_subcommand("query")) options.command = std::move(query);
  if (app.got_subcommand("batch")) options.command = std::move(batch);
  if (app.got_subcommand("load")) {
    options.command = std::move(load);
    // Of rows in bulk the gateway's own default is another.
    if (app.count("--deadline") == 0) options.deadline_seconds = kLoadSeconds;
  }
  if (app.got_subcommand("outcome")) options.command = std::move(outcome);
  if (app.got_subcommand("databases")) options.command = databases;
  if (app.got_subcommand("pools")) {
    const bool watching = pools.watching == Watching::kUntilTheEnd;
    if (watching && app.count("--deadline") == 0) options.deadline_seconds = kLongestSeconds;
    options.command = std::move(pools);
  }
  for (const char* act : {"pause", "resume", "reconnect", "resize"}) {
    if (app.got_subcommand(act)) options.command = operate;
  }
  if (app.got_subcommand("health")) options.command = std::move(health);
  if (app.got_subcommand("bench")) options.command = std::move(bench);
  return options;
}

}  // namespace emsdb::client::cli
