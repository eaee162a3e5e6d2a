// Whom the gateway knows at this moment: the callers of the tokens file, which can be read anew
// while calls run.
#ifndef EMSDB_SERVER_AUTHORITY_H_
#define EMSDB_SERVER_AUTHORITY_H_

#include <memory>

#include "absl/status/statusor.h"
#include "pool/mutex.h"
#include "server/caller.h"

namespace emsdb {

// Safe for use by any number of threads.
class Authority {
 public:
  // Null: there is no tokens file, and callers are believed.
  explicit Authority(std::shared_ptr<const Callers> callers) : callers_(std::move(callers)) {}

  absl::StatusOr<Caller> Identify(const grpc::ServerContextBase& context) const;

  // The caller for a log line, whatever is wrong with it.
  Caller IdentifyForLog(const grpc::ServerContextBase& context) const;

  // From the next call on. Calls that are under way keep the rights they came with.
  void Replace(std::shared_ptr<const Callers> callers);

 private:
  std::shared_ptr<const Callers> callers() const;

  mutable Mutex mutex_;
  std::shared_ptr<const Callers> callers_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace emsdb

#endif  // EMSDB_SERVER_AUTHORITY_H_
