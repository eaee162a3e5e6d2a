#include "pool/postgres/sqlstate.h"

#include <algorithm>
#include <array>

namespace emsdb {
namespace {

using enum absl::StatusCode;

struct Entry {
  std::string_view prefix;  // a whole code or a class
  SqlstateMeaning meaning;
};

// The first prefix that fits wins: codes stand before their class.
constexpr std::array kTable = std::to_array<Entry>({
    {"40003", {kUnknown, Retry::kNo}},             // statement completion unknown
    {"40002", {kFailedPrecondition, Retry::kNo}},  // a constraint, found at commit
    {"40", {kAborted, Retry::kYes}},               // 40001 serialization, 40P01 deadlock
    {"25P02", {kAborted, Retry::kNo}},             // the transaction had failed before
    {"25P03", {kAborted, Retry::kNo}},             // idle in transaction for too long
    {"25", {kFailedPrecondition, Retry::kNo}},     // 25006 read-only, 25001 not in a transaction
    {"23505", {kAlreadyExists, Retry::kNo}},
    {"23P01", {kAlreadyExists, Retry::kNo}},  // an exclusion constraint
    {"23", {kFailedPrecondition, Retry::kNo}},
    {"27", {kFailedPrecondition, Retry::kNo}},
    {"44", {kFailedPrecondition, Retry::kNo}},  // WITH CHECK OPTION
    {"55P03", {kAborted, Retry::kYes}},         // lock not available: NOWAIT or lock_timeout
    {"55", {kFailedPrecondition, Retry::kNo}},
    {"42501", {kPermissionDenied, Retry::kNo}},
    {"42P01", {kNotFound, Retry::kNo}},
    {"42P04", {kAlreadyExists, Retry::kNo}},
    {"42P06", {kAlreadyExists, Retry::kNo}},
    {"42P07", {kAlreadyExists, Retry::kNo}},
    {"42701", {kAlreadyExists, Retry::kNo}},
    {"42710", {kAlreadyExists, Retry::kNo}},
    {"42723", {kAlreadyExists, Retry::kNo}},
    {"42", {kInvalidArgument, Retry::kNo}},
    {"22", {kInvalidArgument, Retry::kNo}},
    {"21", {kInvalidArgument, Retry::kNo}},
    {"08P01", {kInvalidArgument, Retry::kNo}},  // a wrong number of parameters, among others
    {"08", {kUnavailable, Retry::kYes}},
    {"28", {kPermissionDenied, Retry::kNo}},
    {"3D000", {kNotFound, Retry::kNo}},
    {"3F000", {kNotFound, Retry::kNo}},
    {"34", {kNotFound, Retry::kNo}},
    {"26", {kNotFound, Retry::kNo}},
    {"2D", {kInvalidArgument, Retry::kNo}},  // COMMIT inside a procedure
    {"0A", {kUnimplemented, Retry::kNo}},
    {"53200", {kResourceExhausted, Retry::kYes}},  // out of memory: others will end
    {"53300", {kResourceExhausted, Retry::kYes}},
    {"53", {kResourceExhausted, Retry::kNo}},
    {"54", {kResourceExhausted, Retry::kNo}},
    {"57014", {kAborted, Retry::kYes}},    // cancelled by neither deadline nor caller
    {"57P", {kUnavailable, Retry::kYes}},  // the server ends the session or its work
    {"57", {kUnavailable, Retry::kNo}},
    {"P0", {kFailedPrecondition, Retry::kNo}},  // RAISE in a function
    {"09", {kFailedPrecondition, Retry::kNo}},
    {"38", {kFailedPrecondition, Retry::kNo}},
    {"39", {kFailedPrecondition, Retry::kNo}},
    {"3B001", {kNotFound, Retry::kNo}},  // no such savepoint
    {"3B", {kFailedPrecondition, Retry::kNo}},
    {"72", {kAborted, Retry::kYes}},  // snapshot too old
    {"02", {kNotFound, Retry::kNo}},  // no data
    {"03", {kFailedPrecondition, Retry::kNo}},
    {"0B", {kFailedPrecondition, Retry::kNo}},
    {"0F", {kInvalidArgument, Retry::kNo}},  // locators
    {"0L", {kInvalidArgument, Retry::kNo}},  // a grant that makes no sense
    {"0P", {kInvalidArgument, Retry::kNo}},
    {"0Z", {kFailedPrecondition, Retry::kNo}},
    {"20", {kFailedPrecondition, Retry::kNo}},  // CASE of a function without a branch that fits
    {"24", {kFailedPrecondition, Retry::kNo}},  // a cursor that is not positioned
    {"2B", {kFailedPrecondition, Retry::kNo}},  // 2BP01: other objects depend on it
    {"2F", {kFailedPrecondition, Retry::kNo}},  // a function that breaks its word
    {"HV", {kFailedPrecondition, Retry::kNo}},  // foreign tables
    {"XX001", {kDataLoss, Retry::kNo}},         // the data are corrupted, an index in XX002
    {"XX002", {kDataLoss, Retry::kNo}},
});

}  // namespace

SqlstateMeaning MeaningOf(std::string_view sqlstate) {
  const auto found = std::find_if(kTable.begin(), kTable.end(), [&](const Entry& entry) {
    return sqlstate.starts_with(entry.prefix);
  });
  return found == kTable.end() ? SqlstateMeaning{} : found->meaning;
}

SqlstateMeaning ConnectMeaningOf(std::string_view sqlstate) {
  if (sqlstate == "53300") return MeaningOf(sqlstate);
  const bool wrong_settings = sqlstate.starts_with("28") || sqlstate.starts_with("3D");
  return {kUnavailable, wrong_settings ? Retry::kNo : Retry::kYes};
}

}  // namespace emsdb
