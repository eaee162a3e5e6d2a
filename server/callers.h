// The callers that the tokens file knows, and what each of them may do: plain values, without gRPC
// and without the file.
#ifndef EMSDB_SERVER_CALLERS_H_
#define EMSDB_SERVER_CALLERS_H_

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "pool/connection.h"
#include "pool/line.h"
#include "server/token_digest.h"

namespace emsdb {

// Whether a caller may pause, resume, reconnect and resize pools.
enum class Operating { kForbidden, kAllowed };

struct CallerRights {
  std::string name;
  std::vector<TokenDigest> tokens;        // any of them proves the caller: room for a change
  std::vector<std::string> certificates;  // names in a certificate, any of them
  std::optional<std::set<std::string>> databases;  // none: all there are
  Priority highest = Priority::kOperations;
  Priority unset = Priority::kOperations;  // of a call that names no class
  Access access = Access::kReadWrite;
  Operating operating = Operating::kForbidden;

  bool MayUse(const std::string& database) const {
    return !databases || databases->contains(database);
  }
  // A class above the highest is lowered to it: an urgent word must not cost the call.
  Priority Granted(std::optional<Priority> wanted) const {
    const Priority asked = wanted.value_or(unset);
    return asked < highest ? highest : asked;
  }
};

// "dispatch", "clinical", "operations", "reporting"; nothing for any other word.
std::optional<Priority> PriorityNamed(std::string_view name);

// Never changes: a new file makes a new one. Safe for use by any number of threads.
class Callers {
 public:
  using Found = std::shared_ptr<const CallerRights>;  // null: nobody

  explicit Callers(std::vector<CallerRights> callers);

  // Looks at every token there is, whichever fits.
  Found ByToken(std::string_view token) const;

  Found ByCertificate(const std::string& name) const;

  std::size_t size() const { return callers_.size(); }

 private:
  std::vector<Found> callers_;
};

}  // namespace emsdb

#endif  // EMSDB_SERVER_CALLERS_H_
