// An error's details reach the client as they were, within what gRPC carries; bytes that are no
// details are no error either.
#include <string>

#include "client/error_info.h"
#include "emsdb/wire/v1/rpc_status.pb.h"
#include "pool/errors.h"
#include "pool/utf8.h"
#include "server/rpc_status.h"
#include "tests/fuzz/reader.h"
#include "tests/fuzz/target.h"
#include "tests/fuzz/targets.h"

namespace emsdb::fuzz {
namespace {

// What a database says is made UTF-8 by its driver.
std::string TakeText(Reader& reader) { return MakeUtf8(reader.Text()); }

ErrorDetail TakeDetail(Reader& reader) {
  ErrorDetail detail;
  detail.reason = "SQL_ERROR";
  detail.sqlstate = "23505";
  detail.constraint = TakeText(reader);
  detail.table = TakeText(reader);
  detail.column = TakeText(reader);
  detail.hint = TakeText(reader);
  detail.position = reader.Number<int>();
  detail.statement = reader.Number<int>();
  detail.row = reader.Number<std::int64_t>();
  detail.retry = static_cast<Retry>(reader.Byte() % 3);
  if (reader.Byte() % 2 == 1) detail.retry_after = Duration(reader.Number<std::uint64_t>() >> 2);
  return detail;
}

// What gRPC does to both parts of the status, at worst, must stay below 8 KiB.
std::size_t MetadataSize(const grpc::Status& status) {
  std::size_t size = 0;
  for (const char c : status.error_message()) size += c >= 0x20 && c < 0x7F && c != '%' ? 1 : 3;
  return size + (status.error_details().size() + 2) / 3 * 4;
}

bool IsShortened(const std::string& shown, const std::string& text) {
  if (shown == text) return true;
  return shown.ends_with("...") && text.starts_with(shown.substr(0, shown.size() - 3));
}

void CheckDetail(const absl::Status& status) {
  const ErrorDetail sent = DetailOf(status);
  const grpc::Status rpc = ToRpcStatus(status, std::chrono::milliseconds(5));
  Require(MetadataSize(rpc) < 8000, "gRPC carries it");
  Require(IsUtf8(rpc.error_message()), "the message is UTF-8");
  const absl::Status received =
      client::StatusFromWire(status.code(), rpc.error_message(), rpc.error_details());
  const client::ErrorInfo info = client::ErrorInfoOf(received);
  Require(info.reason == sent.reason && info.sqlstate() == sent.sqlstate, "reason and SQLSTATE");
  Require(IsShortened(info.Get("constraint"), sent.constraint), "constraint");
  Require(IsShortened(info.Get("table"), sent.table), "table");
  Require(IsShortened(info.Get("column"), sent.column), "column");
  Require(info.position() == std::max(sent.position, 0), "position");
  Require(info.statement().value_or(-1) == std::max(sent.statement, -1), "statement");
  Require(info.row() == std::max<std::int64_t>(sent.row, 0), "row");
  Require(info.retryable() == (sent.retry == Retry::kYes), "retryable");
  Require(info.retry_after == sent.retry_after, "when to try again");
}

}  // namespace

void StatusDetails(std::string_view input) {
  Reader reader(input);
  const absl::Status plain(static_cast<absl::StatusCode>(1 + reader.Byte() % 16), TakeText(reader));
  const ErrorDetail detail = TakeDetail(reader);
  const absl::Status status = WithDetail(plain, detail);
  Require(DetailOf(status) == detail, "details are what was attached");
  CheckDetail(status);
  // From a gateway of another age, or from no gateway.
  const absl::Status strange =
      client::StatusFromWire(absl::StatusCode::kInternal, "m", std::string(input));
  const client::ErrorInfo info = client::ErrorInfoOf(strange);
  Require(client::ErrorInfoOf(client::WithErrorInfo(strange, info)).metadata == info.metadata,
          "what was read can be sent on");
}

}  // namespace emsdb::fuzz
