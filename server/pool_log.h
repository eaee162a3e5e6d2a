// What of a pool's life belongs into the log: a database that went away or came back, and who holds
// a connection for so long that others wait for it.
#ifndef EMSDB_SERVER_POOL_LOG_H_
#define EMSDB_SERVER_POOL_LOG_H_

#include <string>
#include <utility>

#include "pool/observer.h"
#include "server/log.h"

namespace emsdb {

// Tells `counts` of everything, and the log of what an operator must know. Safe for use by any
// number of threads; both must outlive it.
class PoolLog final : public PoolObserver {
 public:
  PoolLog(const Log& log, PoolObserver& counts, std::string database)
      : log_(log), counts_(counts), database_(std::move(database)) {}

  void Opened(Duration took) override { counts_.Opened(took); }
  void OpenFailed() override { counts_.OpenFailed(); }
  void Closed(CloseReason reason) override { counts_.Closed(reason); }
  void Waited(Duration wait) override { counts_.Waited(wait); }
  void Refused(RefusalReason reason) override { counts_.Refused(reason); }
  void Grouped(int members) override { counts_.Grouped(members); }
  void Reset(ResetResult result) override { counts_.Reset(result); }
  void HeldLong(const Holder& who, Duration held) override;
  void WentDown(const absl::Status& why) override;
  void CameBack(Duration after) override;

 private:
  const Log& log_;
  PoolObserver& counts_;
  const std::string database_;
};

}  // namespace emsdb

#endif  // EMSDB_SERVER_POOL_LOG_H_
