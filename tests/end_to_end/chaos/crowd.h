// Many calls at the same time, none of which costs a thread. Each is sent once and kept.
#ifndef EMSDB_TESTS_END_TO_END_CHAOS_CROWD_H_
#define EMSDB_TESTS_END_TO_END_CHAOS_CROWD_H_

#include <grpcpp/client_context.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "emsdb/v1/query_service.grpc.pb.h"
#include "pool/clock.h"
#include "pool/mutex.h"
#include "tests/end_to_end/chaos/answer.h"

namespace emsdb::chaos {

// Safe for use by one thread.
class Crowd {
 public:
  struct Call {
    grpc::ClientContext context;
    v1::QueryResponse response;
    Answer answer;
    Instant sent;
    Instant ended;
    bool over = false;  // of use only once everything has ended
  };

  // Over one connection, with the same request and deadline for all.
  Crowd(const std::string& address, v1::QueryRequest request, Duration deadline);
  // Waits for the end of all.
  ~Crowd();
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;

  void Send(int calls);
  void CancelAll();
  // False if some have not ended by then.
  bool AwaitEnd(Duration patience);

  int over();
  const std::vector<std::unique_ptr<Call>>& calls() const { return calls_; }
  int Count(const std::string& kind) const;  // as KindOf; after the end of all

 private:
  void Done(Call& call, const grpc::Status& status);

  const v1::QueryRequest request_;
  const Duration deadline_;
  std::unique_ptr<v1::QueryService::Stub> stub_;
  std::vector<std::unique_ptr<Call>> calls_;
  Mutex mutex_;
  CondVar changed_;
  int under_way_ ABSL_GUARDED_BY(mutex_) = 0;
  int over_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace emsdb::chaos

#endif  // EMSDB_TESTS_END_TO_END_CHAOS_CROWD_H_
