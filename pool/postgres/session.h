// What is sent besides the callers' statements.
#ifndef EMSDB_POOL_POSTGRES_SESSION_H_
#define EMSDB_POOL_POSTGRES_SESSION_H_

#include <libpq-fe.h>

#include <string>
#include <string_view>

#include "pool/connection.h"

namespace emsdb {

// Settings that hold for one transaction, explicit or implicit, and leave nothing behind.
struct TransactionSettings {
  std::string statement_timeout;  // milliseconds; "0" is none
  std::string application_name;
  Access access = Access::kReadWrite;
  // Not empty: the command fails, and with it the transaction, unless the session has this mark,
  // that is, unless the reset that was sent before it was done to its end. Only as text.
  std::string reset_mark;
};

// T5: rounded up, at least 1 ms, since 0 would be no limit at all.
std::string StatementTimeout(Instant now, Instant deadline);

// The caller as the database may show it: what is not printable ASCII is replaced, as the server
// would do, and what is over 63 bytes is cut.
std::string ApplicationName(std::string_view identity, const std::string& fallback);

// The session's settings of those that the server reports whenever they change, as one text to be
// compared with another. It costs no trip.
std::string ReportedSettings(const PGconn* handle);
bool ReportsAsIn(const std::string& settings, const PGconn* handle);

// The same of those that say how a literal in a statement is read.
std::string LiteralSettings(const PGconn* handle);
bool ReadsLiteralsAsIn(const std::string& settings, const PGconn* handle);

// "BEGIN ISOLATION LEVEL ...".
std::string BeginText(const TransactionOptions& options);

// Each queues commands in the pipeline; false if the connection is gone.
// kPreparedSettings commands, once for each session.
constexpr int kPreparedSettings = 2;
bool QueuePreparedSettings(PGconn* handle);
// One command, whose rows are oid and name of the types that the database defines itself; not the
// rows of tables, of which there are as many as tables.
bool QueueTypeQuestion(PGconn* handle);
// One command: the same, but for read-only and the mark, as settings of the session.
bool QueueSessionSettings(PGconn* handle, const TransactionSettings& settings);
// And back: kSessionSettingsResets commands.
constexpr int kSessionSettingsResets = 2;
bool QueueSessionSettingsReset(PGconn* handle);
enum class SettingsForm { kPrepared, kText };
bool QueueTransactionSettings(PGconn* handle, const TransactionSettings& settings,
                              SettingsForm form);

}  // namespace emsdb

#endif  // EMSDB_POOL_POSTGRES_SESSION_H_
