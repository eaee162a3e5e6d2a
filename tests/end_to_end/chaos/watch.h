// How a gateway does, seen from outside: its pools by its own word, its process by the kernel's.
#ifndef EMSDB_TESTS_END_TO_END_CHAOS_WATCH_H_
#define EMSDB_TESTS_END_TO_END_CHAOS_WATCH_H_

#include <grpcpp/channel.h>
#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "emsdb/v1/database_service.pb.h"
#include "pool/clock.h"
#include "pool/mutex.h"

namespace emsdb::chaos {

// A connection of its own for each: many channels of a process would share one otherwise.
std::shared_ptr<grpc::Channel> NewChannel(const std::string& address);

// Of the database, or of all of them added up where the name is empty.
v1::PoolStatus StatusOf(const std::string& address, const std::string& database);

// Whether `holds` comes true in time, asked every 20 ms.
bool Becomes(Duration patience, const std::function<bool()>& holds);

struct ProcessFacts {
  std::size_t resident_bytes = 0;
  int threads = 0;
};
ProcessFacts FactsOf(pid_t pid);

// Looks at every pool again and again while it lives: whether one ever exceeds its limit, and the
// most threads and connections that were there.
class Watcher {
 public:
  Watcher(const std::string& address, pid_t pid);
  ~Watcher();
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  int over_limit() const;
  int looks() const;
  int most_threads() const;

 private:
  void Run();

  const std::shared_ptr<grpc::Channel> channel_;
  const pid_t pid_;
  mutable Mutex mutex_;
  CondVar changed_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  int over_limit_ ABSL_GUARDED_BY(mutex_) = 0;
  int looks_ ABSL_GUARDED_BY(mutex_) = 0;
  int most_threads_ ABSL_GUARDED_BY(mutex_) = 0;
  std::thread thread_;
};

}  // namespace emsdb::chaos

#endif  // EMSDB_TESTS_END_TO_END_CHAOS_WATCH_H_
