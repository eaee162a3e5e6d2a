// The reading side of CopyIn: the mirror of StreamQuery's writing side. One request on its way from
// gRPC while the one before it is written to the database, and a bound on how long the caller may
// keep the worker waiting.
#ifndef EMSDB_SERVER_COPY_REACTOR_H_
#define EMSDB_SERVER_COPY_REACTOR_H_

#include <grpcpp/alarm.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <functional>
#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "emsdb/v1/copy_service.pb.h"
#include "pool/call.h"
#include "server/commit_witness.h"
#include "server/gateway.h"
#include "server/open_calls.h"
#include "server/stream_cutter.h"

namespace emsdb {

// Reads the first request, of which `Start` makes a call; from then on a request is read only when
// the worker has taken the one before. Deletes itself in OnDone, which follows every end. Take is
// the worker's; after End, which is called once, the caller must not touch it any more.
class CopyReactor final : public grpc::ServerReadReactor<v1::CopyInRequest>,
                          public CommitAnnouncer {
 public:
  // Attaches a call to the reactor and starts it, or says why not. May empty the request. In gRPC's
  // thread, once at most.
  using Start = std::function<absl::Status(CopyReactor&, v1::CopyInRequest&)>;

  CopyReactor(OpenCalls::Entry entry, Gateway& gateway, grpc::CallbackServerContext& context,
              Start start);

  // Reads the first request. Before that nothing of the reactor runs.
  void ReadFirst();

  // Ends the stream before there is a call.
  void Refuse(const absl::Status& why);

  // Before the call is started. If the caller has left already, the call is told so.
  void Attach(const std::shared_ptr<Call>& call);

  // The next request into `request`, whose memory is used again. kEnd: the caller has ended its
  // side, or the stream broke: gRPC does not say which. Waits a moment within `bounds`, and over
  // several times at most for the slow caller's time.
  enum class Taken { kRequest, kNothingYet, kEnd };
  absl::StatusOr<Taken> Take(v1::CopyInRequest& request, const Bounds& bounds);

  // Before End, at most once.
  absl::Status Announce(const std::string& token, const Bounds& bounds) override;

  // Ends the stream, also while the caller goes on sending. Never waits.
  void End(const grpc::Status& status);

  void OnReadDone(bool ok) override;
  void OnSendInitialMetadataDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  enum class First { kAwaited, kCame, kLate };

  // Outlives the reactor where it must.
  struct Lateness {
    Mutex mutex;
    CopyReactor* reactor ABSL_GUARDED_BY(mutex) = nullptr;
  };

  void ReadOn();
  bool TakeFirst(First as);

  const OpenCalls::Entry entry_;
  Gateway& gateway_;
  grpc::CallbackServerContext& context_;
  Clock& clock_;
  const Start start_;
  v1::CopyInRequest incoming_;  // belongs to gRPC while a read is under way
  StreamCutter cutter_;
  const std::shared_ptr<Lateness> lateness_ = std::make_shared<Lateness>();
  grpc::Alarm late_;

  // The worker's own.
  std::optional<Instant> waiting_since_;

  Mutex mutex_;
  CondVar changed_;
  First first_ ABSL_GUARDED_BY(mutex_) = First::kAwaited;
  bool reading_ ABSL_GUARDED_BY(mutex_) = false;  // a request behind the first
  bool arrived_ ABSL_GUARDED_BY(mutex_) = false;  // incoming_ holds a request
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  bool token_written_ ABSL_GUARDED_BY(mutex_) = false;
  bool caller_gone_ ABSL_GUARDED_BY(mutex_) = false;
  std::shared_ptr<Call> call_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace emsdb

#endif  // EMSDB_SERVER_COPY_REACTOR_H_
