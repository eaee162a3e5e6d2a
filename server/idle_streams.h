// Streams that wait for their callers and hold nothing of a database: a drain ends them at once.
#ifndef EMSDB_SERVER_IDLE_STREAMS_H_
#define EMSDB_SERVER_IDLE_STREAMS_H_

#include <functional>
#include <map>
#include <utility>

#include "pool/mutex.h"

namespace emsdb {

// Safe for use by any number of threads.
class IdleStreams {
 public:
  // `end` is called at most once, by the drain, perhaps after Remove: it must look whether the
  // stream is still there. At once if the drain has begun.
  void Add(const void* stream, std::function<void()> end) {
    {
      MutexLock lock(mutex_);
      if (!draining_) {
        streams_[stream] = std::move(end);
        return;
      }
    }
    end();
  }

  void Remove(const void* stream) {
    MutexLock lock(mutex_);
    streams_.erase(stream);
  }

  void Drain() {
    std::map<const void*, std::function<void()>> streams;
    {
      MutexLock lock(mutex_);
      draining_ = true;
      streams.swap(streams_);
    }
    for (const auto& [stream, end] : streams) end();
  }

 private:
  Mutex mutex_;
  std::map<const void*, std::function<void()>> streams_ ABSL_GUARDED_BY(mutex_);
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace emsdb

#endif  // EMSDB_SERVER_IDLE_STREAMS_H_
