// The writing side of StreamQuery: one message on its way to gRPC while the next one is filled, and
// a bound on how long the reader may keep the worker waiting.
#ifndef EMSDB_SERVER_STREAM_REACTOR_H_
#define EMSDB_SERVER_STREAM_REACTOR_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "emsdb/v1/query_service.pb.h"
#include "pool/call.h"
#include "server/open_calls.h"
#include "server/stream_cutter.h"

namespace emsdb {

// Deletes itself in OnDone. Send is the worker's; after Complete or Fail, which is called once, the
// caller must not touch it any more.
class StreamReactor final : public grpc::ServerWriteReactor<v1::StreamQueryResponse> {
 public:
  StreamReactor(OpenCalls::Entry entry, grpc::CallbackServerContext& context, Clock& clock,
                Duration slow_reader_timeout);

  void Attach(std::shared_ptr<Call> call) { call_ = std::move(call); }

  // Starts to write `message`, which it empties, as soon as the one before is written; waits for
  // that within `bounds` and at most for the slow reader's time.
  absl::Status Send(v1::StreamQueryResponse& message, const Bounds& bounds);

  // Ends the stream well, with `last` as its last message. Never waits; a reader that does not read
  // to the end loses the stream some time later.
  void Complete(v1::StreamQueryResponse& last);

  // Ends the stream with an error. A reader that does not read would not even see the end: some
  // time later the stream is cut.
  void Fail(const grpc::Status& status);

  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  const OpenCalls::Entry entry_;
  Clock& clock_;
  const Duration slow_reader_timeout_;
  std::shared_ptr<Call> call_;
  v1::StreamQueryResponse out_;  // belongs to gRPC while writing_
  StreamCutter cutter_;

  Mutex mutex_;
  CondVar changed_;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool reader_gone_ ABSL_GUARDED_BY(mutex_) = false;
  bool completing_ ABSL_GUARDED_BY(mutex_) = false;
  v1::StreamQueryResponse last_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace emsdb

#endif  // EMSDB_SERVER_STREAM_REACTOR_H_
