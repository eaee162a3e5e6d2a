#include "pool/sqlite/session.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_format.h"
#include "pool/errors.h"
#include "pool/sqlite/text.h"

namespace emsdb::sqlite {
namespace {

constexpr int kMostParameters = 32766;
constexpr int kLongestValue = 64 << 20;
constexpr int kLongestSql = 1 << 20;

constexpr std::array<const char*, 5> kControlTexts = {"BEGIN DEFERRED", "BEGIN IMMEDIATE", "COMMIT",
                                                      "ROLLBACK",
                                                      // Reads the file, where SELECT 1 would not.
                                                      "SELECT 1 FROM sqlite_schema LIMIT 1"};

bool InMemory(const SqliteOptions& options) { return options.path == ":memory:"; }

// A relative path that begins like a URI or like SQLite's own names must not be taken for one.
std::string FileName(const SqliteOptions& options) {
  const bool plain = InMemory(options) || options.path.starts_with('/');
  return plain ? options.path : "./" + options.path;
}

// What the operator should look at, and the same without the path.
struct Trouble {
  std::string named;
  std::string unnamed;
};

Trouble FileTrouble(const std::string& path) {
  std::error_code error;
  const std::filesystem::path file(path);
  const std::filesystem::path directory = file.has_parent_path() ? file.parent_path() : ".";
  if (!std::filesystem::exists(directory, error)) {
    return {absl::StrFormat("the directory %s does not exist", directory.string()),
            "its directory does not exist"};
  }
  if (!std::filesystem::is_directory(directory, error)) {
    return {absl::StrFormat("%s is no directory", directory.string()), "its directory is none"};
  }
  if (std::filesystem::is_directory(file, error)) return {"it is a directory", "it is a directory"};
  return {};
}

}  // namespace

absl::StatusOr<std::unique_ptr<Session>> Session::Open(const SqliteOptions& options, Clock& clock,
                                                       const Bounds& bounds) {
  std::unique_ptr<Session> session(new Session(options, clock));
  const Interruption::Within within(session->interruption_, bounds);
  if (session->interruption_.Due()) return session->interruption_.Cause(Stage::kConnecting);
  if (absl::Status status = session->OpenFile(); !status.ok()) return status;
  if (absl::Status status = session->Harden(); !status.ok()) return status;
  return session;
}

absl::Status Session::OpenFile() {
  constexpr int kFlags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
                         SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE;
  sqlite3* opened = nullptr;
  const int result = sqlite3_open_v2(FileName(options_).c_str(), &opened, kFlags, nullptr);
  database_.reset(opened);
  if (result != SQLITE_OK) return OpenFailure();
  interruption_.Install(database());
  authorizer_.Install(database());
  return absl::OkStatus();
}

absl::Status Session::Harden() {
  sqlite3* const db = database();
  constexpr std::pair<int, int> kSwitches[] = {
      {SQLITE_DBCONFIG_DEFENSIVE, 1},       {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
      {SQLITE_DBCONFIG_ENABLE_FKEY, 1},     {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
      {SQLITE_DBCONFIG_WRITABLE_SCHEMA, 0}, {SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, 0},
      {SQLITE_DBCONFIG_DQS_DML, 0},
  };
  for (const auto& [name, value] : kSwitches) {
    if (sqlite3_db_config(db, name, value, nullptr) != SQLITE_OK) return OpenFailure();
  }
  sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
  sqlite3_limit(db, SQLITE_LIMIT_VARIABLE_NUMBER, kMostParameters);
  sqlite3_limit(db, SQLITE_LIMIT_LENGTH, kLongestValue);
  sqlite3_limit(db, SQLITE_LIMIT_SQL_LENGTH, kLongestSql);
  sqlite3_limit(db, SQLITE_LIMIT_WORKER_THREADS, 0);

  const Authorizer::Bypass bypass(authorizer_);
  if (!InMemory(options_)) {
    if (absl::Status status = UseWriteAheadLog(); !status.ok()) return status;
  }
  if (options_.role == SqliteRole::kReader) return Pragma("PRAGMA query_only=1");
  return absl::OkStatus();
}

absl::Status Session::UseWriteAheadLog() {
  std::string mode;
  if (absl::Status status = Pragma("PRAGMA journal_mode", &mode); !status.ok()) return status;
  if (mode != "wal") {
    absl::Status status = Pragma("PRAGMA journal_mode=WAL", &mode);
    // SQLite does not wait here for another connection that is just doing the same.
    for (int times = 0; sqlite3_errcode(database()) == SQLITE_BUSY && interruption_.Wait(times);
         ++times) {
      status = Pragma("PRAGMA journal_mode=WAL", &mode);
    }
    if (!status.ok()) return status;
  }
  if (mode != "wal") {
    return ConnectionUnavailable(
        "the SQLite database can have no write-ahead log where it is", Stage::kConnecting,
        absl::StrFormat("%s: no write-ahead log can be used there", options_.path));
  }
  if (absl::Status status = Pragma("PRAGMA synchronous=FULL"); !status.ok()) return status;
  // The log shrinks again after a long read had made it grow.
  return Pragma("PRAGMA journal_size_limit=67108864");
}

absl::Status Session::Pragma(const char* sql, std::string* answer) {
  sqlite3_stmt* prepared = nullptr;
  int result = sqlite3_prepare_v2(database(), sql, -1, &prepared, nullptr);
  const StatementHandle statement(prepared);
  if (result == SQLITE_OK) result = sqlite3_step(prepared);
  if (result == SQLITE_ROW) {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(prepared, 0));
    if (answer != nullptr && text != nullptr) *answer = text;
    result = SQLITE_DONE;
  }
  return result == SQLITE_DONE ? absl::OkStatus() : OpenFailure();
}

absl::Status Session::OpenFailure() const {
  absl::Status cause = interruption_.Cause(Stage::kConnecting);
  if (!cause.ok()) return cause;
  Trouble trouble = FileTrouble(options_.path);
  const SqlError error = LastError();
  if (trouble.named.empty()) {
    const char* name = MeaningOf(error.result_code).name;
    trouble = {absl::StrFormat("%s (%s)", error.message, name),
               absl::StrFormat("%s (%s)", sqlite3_errstr(error.result_code), name)};
  }
  return ConnectionUnavailable(
      absl::StrFormat("cannot open the SQLite database: %s", trouble.unnamed), Stage::kConnecting,
      absl::StrFormat("cannot open the SQLite database %s: %s", options_.path, trouble.named));
}

absl::StatusOr<StatementHandle> Session::Prepare(const std::string& sql) {
  if (!KeptStatements::MayKeep(sql)) return Compile(sql, 0);
  if (sqlite3_stmt* kept = kept_.Take(sql)) {
    authorizer_.TakeRefusal().IgnoreError();
    return StatementHandle(kept, EndUse{&kept_});
  }
  auto compiled = Compile(sql, SQLITE_PREPARE_PERSISTENT);
  // SQLite has left out what stands behind it: it would not be found again.
  if (compiled.ok() && sql == sqlite3_sql(compiled->get())) compiled->get_deleter().kept = &kept_;
  return compiled;
}

absl::StatusOr<StatementHandle> Session::Compile(const std::string& sql, unsigned flags) {
  authorizer_.TakeRefusal().IgnoreError();
  sqlite3_stmt* prepared = nullptr;
  const char* tail = nullptr;
  const int result = sqlite3_prepare_v3(database(), sql.data(), static_cast<int>(sql.size()), flags,
                                        &prepared, &tail);
  StatementHandle statement(prepared);
  if (result != SQLITE_OK) return Failure(Phase::kPreparing, sql);
  if (statement == nullptr) return InvalidField("statement.sql", "holds no statement");
  if (!IsBlankSql(std::string_view(sql).substr(static_cast<std::size_t>(tail - sql.data())))) {
    return InvalidField("statement.sql",
                        "holds a second statement after the first; nothing was run");
  }
  return statement;
}

int Session::Run(Control control) {
  authorizer_.TakeRefusal().IgnoreError();
  const auto index = static_cast<std::size_t>(control);
  StatementHandle& statement = controls_[index];
  if (statement == nullptr) {
    const Authorizer::Bypass bypass(authorizer_);
    sqlite3_stmt* prepared = nullptr;
    const int result = sqlite3_prepare_v3(database(), kControlTexts[index], -1,
                                          SQLITE_PREPARE_PERSISTENT, &prepared, nullptr);
    if (result != SQLITE_OK) return result;
    statement.reset(prepared);
  }
  const Authorizer::Bypass bypass(authorizer_);  // SQLite may compile it anew
  const int result = sqlite3_step(statement.get());
  // Says the same error once more.
  sqlite3_reset(statement.get());
  return result == SQLITE_DONE || result == SQLITE_ROW ? SQLITE_OK : result;
}

int Session::Run(const std::string& text) {
  const Authorizer::Bypass bypass(authorizer_);
  return sqlite3_exec(database(), text.c_str(), nullptr, nullptr, nullptr);
}

int Session::Allow(Access access) {
  const Authorizer::Bypass bypass(authorizer_);
  const Interruption::Suspended suspended(interruption_);
  return sqlite3_exec(database(),
                      access == Access::kReadOnly ? "PRAGMA query_only=1" : "PRAGMA query_only=0",
                      nullptr, nullptr, nullptr);
}

// It attaches a file of its own for the time that it takes, which callers must not.
absl::Status Session::Vacuum() {
  int result = SQLITE_OK;
  {
    const Authorizer::Bypass bypass(authorizer_);
    sqlite3_limit(database(), SQLITE_LIMIT_ATTACHED, 1);
    result = sqlite3_exec(database(), "VACUUM", nullptr, nullptr, nullptr);
  }
  absl::Status status = result == SQLITE_OK ? absl::OkStatus() : Failure(Phase::kRunning, "");
  sqlite3_limit(database(), SQLITE_LIMIT_ATTACHED, 0);
  return status;
}

SqlError Session::LastError() const {
  // Without a handle there was no memory for one.
  if (database_ == nullptr) return {SQLITE_NOMEM, "out of memory", -1};
  return {sqlite3_extended_errcode(database_.get()), sqlite3_errmsg(database_.get()),
          sqlite3_error_offset(database_.get())};
}

absl::Status Session::Failure(Phase phase, std::string_view sql) {
  const SqlError error = LastError();
  if (MeaningOf(error.result_code).damage == Damage::kConnection) damaged_ = true;
  const int primary = error.result_code & 0xFF;
  if (primary == SQLITE_INTERRUPT || primary == SQLITE_BUSY) {
    absl::Status cause = interruption_.Cause(Stage::kRunning);
    if (!cause.ok()) return cause;
  }
  absl::Status refusal = authorizer_.TakeRefusal();
  if (!refusal.ok()) return refusal;
  return AtStage(ToStatus(error, phase, sql), Stage::kRunning);
}

absl::Status Session::FirstFailure(const std::string& sql) {
  const int primary = sqlite3_errcode(database()) & 0xFF;
  absl::Status failure = Failure(Phase::kRunning, sql);
  if (primary != SQLITE_ERROR && primary != SQLITE_SCHEMA) return failure;
  const auto anew = Compile(sql, 0);
  return anew.ok() ? failure : anew.status();
}

absl::Status Session::CommitFailure() {
  const SqlError error = LastError();
  if (MeaningOf(error.result_code).damage == Damage::kConnection) damaged_ = true;
  return AtStage(ToStatus(error, Phase::kPreparing, ""), Stage::kCommitting);
}

bool Session::FileHasMoved() {
  if (InMemory(options_)) return false;
  int moved = 0;
  const int result = sqlite3_file_control(database(), "main", SQLITE_FCNTL_HAS_MOVED, &moved);
  return result != SQLITE_OK || moved != 0;
}

}  // namespace emsdb::sqlite
