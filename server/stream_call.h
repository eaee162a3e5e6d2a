// StreamQuery: one statement, its rows in messages of about 64 KiB, as fast as the caller reads
// them.
#ifndef EMSDB_SERVER_STREAM_CALL_H_
#define EMSDB_SERVER_STREAM_CALL_H_

#include "emsdb/v1/query_service.pb.h"
#include "server/bound_values.h"
#include "server/reactors.h"
#include "server/stream_reactor.h"

namespace emsdb {

class StreamCall final : public RpcCall, private RowSink {
 public:
  struct Work {
    Statement statement;
    Access access = Access::kReadWrite;
    std::uint64_t max_rows = 0;  // 0: no limit
    CommitNaming naming = CommitNaming::kNone;
  };

  StreamCall(Gateway& gateway, CallBasics basics, StreamReactor& reactor, Work work)
      : RpcCall(gateway, std::move(basics)), reactor_(reactor), work_(std::move(work)) {}

 protected:
  absl::Status Run(Connection& connection, const Bounds& bounds, Lease& lease) override;
  void Finish(absl::Status status, const CallTimes& times) override;
  Fields BoundValues(const absl::Status&) const override {
    return ShownValues(work_.statement.parameters);
  }

 private:
  absl::Status OnColumns(std::span<const Column> columns) override;
  absl::Status OnRow(std::span<const Cell> cells) override;

  StreamReactor& reactor_;
  const Work work_;
  v1::StreamQueryResponse message_;  // the one that is being filled
  std::size_t bytes_ = 0;            // in message_
  std::int64_t row_count_ = 0;
  Bounds bounds_;  // of Run
};

}  // namespace emsdb

#endif  // EMSDB_SERVER_STREAM_CALL_H_
