// What a statement may leave behind in PostgreSQL's session, as far as its text tells.
#ifndef EMSDB_POOL_POSTGRES_SESSION_CHANGES_H_
#define EMSDB_POOL_POSTGRES_SESSION_CHANGES_H_

#include <cstdint>
#include <string_view>

namespace emsdb {

// Each kind is undone by a command of its own; see session_reset.h.
enum class SessionChange : std::uint8_t {
  kSettings = 1 << 0,    // SET, set_config, ...
  kRole = 1 << 1,        // SET ROLE, SET SESSION AUTHORIZATION
  kTemporary = 1 << 2,   // tables and whatever else lives in pg_temp
  kPrepared = 1 << 3,    // PREPARE, DEALLOCATE
  kCursors = 1 << 4,     // WITH HOLD
  kLocks = 1 << 5,       // advisory locks of the session
  kListening = 1 << 6,   // LISTEN
  kBeyondReset = 1 << 7  // what no command undoes: LOAD, dblink_connect, setseed, ...
};

// A set of them.
class SessionChanges {
 public:
  constexpr SessionChanges() = default;
  constexpr SessionChanges(SessionChange change)  // NOLINT(google-explicit-constructor)
      : bits_(static_cast<std::uint8_t>(change)) {}

  static constexpr SessionChanges None() { return {}; }
  // Everything that can be undone.
  static constexpr SessionChanges AllThatCanBeReset() {
    SessionChanges all;
    all.bits_ = static_cast<std::uint8_t>(SessionChange::kBeyondReset) - 1;
    return all;
  }

  constexpr bool empty() const { return bits_ == 0; }
  constexpr bool Has(SessionChange change) const {
    return (bits_ & static_cast<std::uint8_t>(change)) != 0;
  }
  constexpr SessionChanges& operator|=(SessionChanges other) {
    bits_ = static_cast<std::uint8_t>(bits_ | other.bits_);
    return *this;
  }
  friend constexpr SessionChanges operator|(SessionChanges a, SessionChanges b) { return a |= b; }
  friend bool operator==(SessionChanges, SessionChanges) = default;

 private:
  std::uint8_t bits_ = 0;
};

constexpr SessionChanges operator|(SessionChange a, SessionChange b) {
  return SessionChanges(a) | SessionChanges(b);
}

// By the kind of the statement (SET but not SET LOCAL, PREPARE, LISTEN, a temporary table, a cursor
// WITH HOLD, DO, ...), and by names in it, even inside a literal (set_config, session advisory
// locks, ...). A false alarm costs a reset after the answer. What a function or a trigger does out
// of sight is not seen.
SessionChanges SessionChangesOf(std::string_view sql);

}  // namespace emsdb

#endif  // EMSDB_POOL_POSTGRES_SESSION_CHANGES_H_
