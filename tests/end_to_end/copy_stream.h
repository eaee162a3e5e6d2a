// A CopyIn written by hand, message by message, as no client of ours would.
#ifndef EMSDB_TESTS_END_TO_END_COPY_STREAM_H_
#define EMSDB_TESTS_END_TO_END_COPY_STREAM_H_

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <vector>

#include "client/convert.h"
#include "client/error_info.h"
#include "client/value.h"
#include "emsdb/v1/copy_service.grpc.pb.h"

namespace emsdb {

class CopyStream {
 public:
  explicit CopyStream(const std::string& address,
                      std::chrono::milliseconds deadline = std::chrono::seconds(30))
      : stub_(v1::CopyService::NewStub(
            grpc::CreateChannel(address, grpc::InsecureChannelCredentials()))) {
    context_.set_deadline(std::chrono::system_clock::now() + deadline);
    writer_ = stub_->CopyIn(&context_, &response_);
  }

  bool Start(const std::string& table, const std::vector<std::string>& columns = {}) {
    v1::CopyInRequest request;
    request.mutable_start()->set_table(table);
    for (const std::string& column : columns) request.mutable_start()->add_columns(column);
    return writer_->Write(request);
  }
  bool Rows(const std::vector<client::Row>& rows) {
    v1::CopyInRequest request;
    for (const client::Row& row : rows) {
      v1::Row& wire = *request.add_rows();
      for (const client::Value& value : row) *wire.add_values() = client::ToWire(value);
    }
    return writer_->Write(request);
  }
  bool End(std::int64_t rows) {
    v1::CopyInRequest request;
    request.mutable_end()->set_row_count(rows);
    return writer_->Write(request);
  }
  bool Write(const v1::CopyInRequest& request) { return writer_->Write(request); }
  void Cancel() { context_.TryCancel(); }

  // Waits for the call's end without ending this side.
  absl::Status Await() {
    const grpc::Status status = writer_->Finish();
    return client::StatusFromWire(static_cast<absl::StatusCode>(status.error_code()),
                                  status.error_message(), status.error_details());
  }
  absl::Status Finish() {
    writer_->WritesDone();
    return Await();
  }
  const v1::CopyInResponse& response() const { return response_; }
  // Of the commit, after the call; "" if there was none.
  std::string token() const {
    const auto& metadata = context_.GetServerInitialMetadata();
    const auto found = metadata.find("emsdb-commit-token");
    return found == metadata.end() ? "" : std::string(found->second.data(), found->second.size());
  }

 private:
  grpc::ClientContext context_;
  v1::CopyInResponse response_;
  std::unique_ptr<v1::CopyService::Stub> stub_;
  std::unique_ptr<grpc::ClientWriter<v1::CopyInRequest>> writer_;
};

}  // namespace emsdb

#endif  // EMSDB_TESTS_END_TO_END_COPY_STREAM_H_
