// WatchPoolStatus: a stream of snapshots, each after an interval, for as long as the caller stays.
#ifndef EMSDB_SERVER_WATCHES_H_
#define EMSDB_SERVER_WATCHES_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "emsdb/v1/database_service.pb.h"
#include "pool/mutex.h"
#include "server/gateway.h"

namespace emsdb {

class Watch;
using WatchReactor = grpc::ServerWriteReactor<v1::WatchPoolStatusResponse>;

// The streams that are open, so that a drain can end them: they never end by themselves. Costs no
// thread: snapshots are taken by gRPC's timers. Safe for use by any number of threads.
class Watches {
 public:
  // Serves one call; the reactor deletes itself when gRPC is done with it.
  WatchReactor* Start(Gateway& gateway, grpc::CallbackServerContext& context,
                      const v1::WatchPoolStatusRequest& request);

  // Ends every stream with SHUTDOWN, and every new one at once.
  void EndAll();

 private:
  // False if the streams have been ended.
  bool Enter(const std::shared_ptr<Watch>& watch);

  Mutex mutex_;
  std::vector<std::weak_ptr<Watch>> open_ ABSL_GUARDED_BY(mutex_);
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace emsdb

#endif  // EMSDB_SERVER_WATCHES_H_
