// CopyIn: the caller's rows into one table, as fast as the database takes them.
#ifndef EMSDB_SERVER_COPY_CALL_H_
#define EMSDB_SERVER_COPY_CALL_H_

#include <optional>
#include <string>
#include <vector>

#include "emsdb/v1/copy_service.pb.h"
#include "server/copy_reactor.h"
#include "server/reactors.h"

namespace emsdb {

// `response` is gRPC's and lives until the reactor is ended.
class CopyCall final : public RpcCall, private RowSource {
 public:
  // `first` is taken over; its `start` was looked at.
  CopyCall(Gateway& gateway, CallBasics basics, CopyReactor& reactor, v1::CopyInRequest& first,
           v1::CopyInResponse& response);

 protected:
  absl::Status Run(Connection& connection, const Bounds& bounds, Lease& lease) override;
  void Finish(absl::Status status, const CallTimes& times) override;

 private:
  absl::StatusOr<Supply> Next(std::span<const Cell>& cells) override;
  std::string RowField() const override;

  // A request that is not the first has come.
  absl::Status CheckRequest() const;
  // There will be no further one.
  absl::Status CheckEnd() const;

  CopyReactor& reactor_;
  v1::CopyInResponse& response_;
  CopyTarget target_;
  v1::CopyInRequest request_;  // whose rows are being given
  int next_ = 0;               // in request_
  std::int64_t rows_given_ = 0;
  std::optional<std::int64_t> rows_promised_;  // by `end`
  std::vector<Cell> cells_;
  Bounds bounds_;  // of Run
};

}  // namespace emsdb

#endif  // EMSDB_SERVER_COPY_CALL_H_
