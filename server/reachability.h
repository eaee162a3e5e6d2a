// Whether each database can be reached: asked at the start, and again and again while the process
// runs, through the pools as any caller would. Tells gRPC's health service and whoever else asks.
#ifndef EMSDB_SERVER_REACHABILITY_H_
#define EMSDB_SERVER_REACHABILITY_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "pool/pool_manager.h"

namespace emsdb {

// Safe for use by any number of threads.
class Reachability {
 public:
  // Told of every change, and of the first finding of each database; must not block.
  using Listener = std::function<void(const std::string& database, const absl::Status& state)>;

  explicit Reachability(PoolManager& pools);
  ~Reachability();

  // Asks every database once and waits for the answers, at most kInquiryPatience. The state of
  // each.
  std::map<std::string, absl::Status> AskAll();

  // From now on in a thread of its own: each database every few seconds, more often while it is
  // away, and within half a second where its pool says that it is down.
  void Watch(Listener listener);
  void StopWatching();

  bool reachable(const std::string& database) const;
  std::map<std::string, absl::Status> states() const;

 private:
  void Run();
  Duration PauseFor(const Database& database) const;
  // False if the last question has not been answered yet.
  bool Ask(Database& database);
  void Answered(const std::string& database, const absl::Status& status);

  PoolManager& pools_;
  Listener listener_;

  mutable Mutex mutex_;
  CondVar changed_;
  std::map<std::string, absl::Status> states_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, int> asked_ ABSL_GUARDED_BY(mutex_);   // without an answer so far
  std::map<std::string, int> silent_ ABSL_GUARDED_BY(mutex_);  // questions without news, in a row
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace emsdb

#endif  // EMSDB_SERVER_REACHABILITY_H_
