// A request's part in a transaction: which one, by whom, and its number.
#ifndef EMSDB_SERVER_TRANSACTION_USE_H_
#define EMSDB_SERVER_TRANSACTION_USE_H_

#include <google/protobuf/message.h>

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "emsdb/v1/statement.pb.h"
#include "pool/transactions.h"

namespace emsdb {

// `request` and `repeatable` count only where the call is numbered: the same number with another
// request is not the same call.
TransactionUse MakeUse(const std::string& id, const std::string& owner, TransactionStep step,
                       std::uint64_t sequence, const google::protobuf::Message& request,
                       Repeatable& repeatable);

// INVALID_ARGUMENT for one without an action, or with a bad name.
absl::StatusOr<SavepointAction> ToSavepoint(const v1::SavepointAction& action);

}  // namespace emsdb

#endif  // EMSDB_SERVER_TRANSACTION_USE_H_
