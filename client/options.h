// What a caller may choose, beside the statement itself.
#ifndef EMSDB_CLIENT_OPTIONS_H_
#define EMSDB_CLIENT_OPTIONS_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/cancel.h"
#include "client/retry.h"
#include "client/value.h"

namespace emsdb::client {

inline constexpr Duration kDefaultDeadline = std::chrono::seconds(30);
inline constexpr Duration kCopyDeadline = std::chrono::seconds(300);  // of rows in bulk

// PEM texts. Without `roots` those of the system are used; `certificate` and `key` are this
// client's own, for mTLS, and go together.
struct Tls {
  std::string roots;
  std::string certificate;
  std::string key;
  std::string server_name;  // expected in the server's certificate, if not the address's host
};

// Which calls go first when connections are short. Each caller has a highest class.
enum class Priority { kDefault, kDispatch, kClinical, kOperations, kReporting };

struct ConnectOptions {
  std::string address = "127.0.0.1:50051";
  std::optional<Tls> tls;  // none: plain text
  // A bearer token, sent with every call, in plain text where there is no TLS. Never shown.
  std::string token;
  // A label for the gateway's log and for the holder's name in time-out errors. Proves nothing.
  std::string caller;
  // The class of calls that name none; the gateway's default for this caller where it is not set.
  Priority usual_priority = Priority::kDefault;
  Duration default_deadline = kDefaultDeadline;
  RetryPolicy retry;
};

// Whether the database is to refuse writes. A read may be repeated after a lost connection.
enum class Access { kReadWrite, kReadOnly };

// Whether a lost answer to an autocommit write is to be cleared up later.
enum class Resolving { kOff, kOn };

// Whether a statement by itself is wrapped into a transaction of its own, which VACUUM and its like
// refuse. What such a one did before it failed may stay.
enum class Wrapping { kTransaction, kNone };

enum class Isolation { kDefault, kReadCommitted, kRepeatableRead, kSerializable };

// How long a call may take, and who may end it sooner.
struct CallOptions {
  std::optional<Duration> deadline = std::nullopt;  // none: the client's default
  std::shared_ptr<CancelSource> cancel = nullptr;
};

struct QueryOptions {
  Access access = Access::kReadWrite;  // ignored in a transaction, which has its own
  Priority priority = Priority::kDefault;
  // PostgreSQL, Client::Query: a trip more buys a token for a write whose answer is lost
  // (ErrorInfo::commit_token).
  Resolving resolving = Resolving::kOff;
  Wrapping wrapping = Wrapping::kTransaction;  // Client::Query
  std::uint32_t max_rows = 0;  // fail rather than return more; 0: the gateway's limit
  // PostgreSQL: names for parameters the server cannot infer; empty, or one for each.
  std::vector<std::string> parameter_types = {};
  CallOptions call = {};
};

struct TransactionOptions {
  Isolation isolation = Isolation::kDefault;
  Access access = Access::kReadWrite;
  std::optional<Duration> idle_timeout = std::nullopt;   // none: the gateway's default
  std::optional<Duration> total_timeout = std::nullopt;  // none: the gateway's default
  Priority priority = Priority::kDefault;
  CallOptions call = {};
};

struct BatchOptions {
  Isolation isolation = Isolation::kDefault;
  Access access = Access::kReadWrite;
  Priority priority = Priority::kDefault;
  CallOptions call = {};
};

struct BatchStatement {
  std::string sql;
  std::vector<Value> parameters = {};
  // The rows it must touch or return; anything else rolls the whole batch back.
  std::optional<std::int64_t> expect_rows = std::nullopt;
  std::vector<std::string> parameter_types = {};
};

}  // namespace emsdb::client

#endif  // EMSDB_CLIENT_OPTIONS_H_
