// What a caller's statement may do, as SQLite itself sees it while it compiles the statement: the
// text alone would be a guess.
#ifndef EMSDB_POOL_SQLITE_AUTHORIZER_H_
#define EMSDB_POOL_SQLITE_AUTHORIZER_H_

#include <string_view>
#include <utility>

#include "absl/status/status.h"

struct sqlite3;

namespace emsdb::sqlite {

// Refuses, on the connection it is installed on: transaction control (it has methods of its own),
// ATTACH and DETACH, extensions, PRAGMAs but a short list that only reads, and temporary tables,
// views and triggers, which would stay on the connection and hide the real ones from the next
// caller. Used by the connection's thread.
class Authorizer {
 public:
  Authorizer() = default;
  Authorizer(const Authorizer&) = delete;
  Authorizer& operator=(const Authorizer&) = delete;

  // `this` must live as long as `database`.
  void Install(sqlite3* database);

  // Why the statement that has just failed was refused, and forgets it; OK if it was not by this
  // class.
  absl::Status TakeRefusal() { return std::exchange(refusal_, absl::OkStatus()); }

  // While it lives, everything is allowed: for the driver's own statements.
  class Bypass {
   public:
    explicit Bypass(Authorizer& authorizer) : authorizer_(authorizer) {
      authorizer_.bypassed_ = true;
    }
    ~Bypass() { authorizer_.bypassed_ = false; }
    Bypass(const Bypass&) = delete;
    Bypass& operator=(const Bypass&) = delete;

   private:
    Authorizer& authorizer_;
  };

 private:
  static int OnAction(void* self, int action, const char* first, const char* second,
                      const char* database, const char* trigger);
  absl::Status Judge(int action, std::string_view first, std::string_view second,
                     std::string_view database) const;

  bool bypassed_ = false;
  absl::Status refusal_;
};

}  // namespace emsdb::sqlite

#endif  // EMSDB_POOL_SQLITE_AUTHORIZER_H_
