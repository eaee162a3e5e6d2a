// What ends a stream whose caller would not even see its end.
#ifndef EMSDB_SERVER_STREAM_CUTTER_H_
#define EMSDB_SERVER_STREAM_CUTTER_H_

#include <grpcpp/alarm.h>
#include <grpcpp/server_context.h>

#include <memory>

#include "pool/clock.h"
#include "pool/mutex.h"

namespace emsdb {

// Belongs to a stream's reactor. Any thread.
class StreamCutter {
 public:
  explicit StreamCutter(grpc::CallbackServerContext& context) : context_(context) {}

  // Cuts the stream when `patience` is over, unless Forget comes first. Once.
  void CutAfter(Duration patience);

  // The stream is done: in OnDone, before the reactor is destroyed.
  void Forget();

 private:
  // Outlives the reactor where it must.
  struct Target {
    Mutex mutex;
    grpc::CallbackServerContext* context ABSL_GUARDED_BY(mutex) = nullptr;
  };

  grpc::CallbackServerContext& context_;
  const std::shared_ptr<Target> target_ = std::make_shared<Target>();
  grpc::Alarm alarm_;
};

}  // namespace emsdb

#endif  // EMSDB_SERVER_STREAM_CUTTER_H_
