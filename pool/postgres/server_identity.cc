#include "pool/postgres/server_identity.h"

#include <string>

#include "absl/strings/numbers.h"

namespace emsdb {
namespace {

// The functions that name a transaction came with this version.
constexpr int kOldestServer = 130000;

// A following copy cannot tell the timeline it will write on.
constexpr char kQuestion[] =
    "SELECT s.system_identifier::pg_catalog.text, "
    "(EXTRACT(epoch FROM a.stats_reset) * 1000000)::pg_catalog.int8::pg_catalog.text, "
    "CASE WHEN pg_catalog.pg_is_in_recovery() THEN '00000000' ELSE "
    "pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn()), 1, 8) "
    "END FROM pg_catalog.pg_control_system() s, pg_catalog.pg_stat_archiver a";
constexpr char kNoQuestion[] = "SELECT 1 WHERE false";

template <typename Number>
Number NumberOf(const Cell& cell) {
  const auto* text = std::get_if<std::string_view>(&cell);
  Number number = 0;
  if (text == nullptr || !absl::SimpleAtoi(std::string(*text), &number)) return 0;
  return number;
}

std::uint32_t HexOf(const Cell& cell) {
  const auto* text = std::get_if<std::string_view>(&cell);
  std::uint32_t number = 0;
  if (text == nullptr || !absl::SimpleHexAtoi(std::string(*text), &number)) return 0;
  return number;
}

}  // namespace

bool QueueIdentityQuestion(PGconn* handle) {
  const char* question = PQserverVersion(handle) >= kOldestServer ? kQuestion : kNoQuestion;
  return PQsendQueryParams(handle, question, 0, nullptr, nullptr, nullptr, nullptr, 0) == 1;
}

absl::Status IdentitySink::OnRow(std::span<const Cell> cells) {
  const ServerIdentity identity{
      .system = static_cast<std::uint64_t>(NumberOf<std::int64_t>(cells[0])),
      .incarnation = NumberOf<std::uint64_t>(cells[1]),
      .timeline = HexOf(cells[2])};
  if (identity.incarnation != 0) identity_ = identity;
  return absl::OkStatus();
}

absl::Status TransactionIdSink::OnRow(std::span<const Cell> cells) {
  id_ = NumberOf<std::uint64_t>(cells[0]);
  return absl::OkStatus();
}

}  // namespace emsdb
