#include "client/cli/bench_tally.h"

#include <algorithm>

#include "client/error_info.h"
#include "client/grpc_channel.h"

namespace emsdb::client::cli {

std::string ErrorName(const absl::Status& status) {
  const std::string reason = ErrorInfoOf(status).reason;
  return absl::StatusCodeToString(status.code()) + (reason.empty() ? "" : " " + reason);
}

void Tally::Add(const Caller& caller, const StartCall& call, Instant now) {
  begin = begin ? std::min(*begin, call.from) : call.from;
  end = end ? std::max(*end, now) : now;
  if (!caller.status().ok()) return AddError(FromGrpc(caller.status()), 1);
  ++calls;
  rows += caller.rows();
  (caller.kind() == CallKind::kSlow ? slow_latency : latency).Add(now - call.from);
}

void Tally::AddError(const absl::Status& status, std::uint64_t times) {
  errors[ErrorName(status)] += times;
  if (first_error.ok()) first_error = status;
}

void Tally::Merge(const Tally& other) {
  calls += other.calls;
  rows += other.rows;
  latency.Merge(other.latency);
  slow_latency.Merge(other.slow_latency);
  for (const auto& [name, count] : other.errors) errors[name] += count;
  if (first_error.ok()) first_error = other.first_error;
  if (other.begin) begin = begin ? std::min(*begin, *other.begin) : *other.begin;
  if (other.end) end = end ? std::max(*end, *other.end) : *other.end;
}

std::uint64_t Tally::error_count() const {
  std::uint64_t count = 0;
  for (const auto& [name, times] : errors) count += times;
  return count;
}

}  // namespace emsdb::client::cli
