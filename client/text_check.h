// Text as the wire and both databases take it: UTF-8 without U+0000. Looked at before anything is
// sent: gRPC answers a request with other text as if there were no such method, without a word
// about which text it was.
#ifndef EMSDB_CLIENT_TEXT_CHECK_H_
#define EMSDB_CLIENT_TEXT_CHECK_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "emsdb/v1/copy_service.pb.h"
#include "emsdb/v1/query_service.pb.h"

namespace emsdb::client {

// No overlong forms, no surrogates, nothing beyond U+10FFFF.
bool IsUtf8(std::string_view text);

// "has U+0000 in it", "is not valid UTF-8"; empty if neither is so.
std::string TextProblem(std::string_view text);

// INVALID_ARGUMENT, with the gateway's own reason INVALID_FIELD, naming the field as the gateway
// does ("statement.parameters[2]") and the rule, never the text.
absl::Status CheckDatabaseName(const std::string& database);
absl::Status CheckSavepoint(const v1::SavepointAction& action);
absl::Status CheckCommitToken(const std::string& token);
absl::Status CheckTexts(const std::string& database, const v1::Statement& statement);
absl::Status CheckTexts(const v1::ExecuteBatchRequest& request);
absl::Status CheckTexts(const v1::CopyInStart& start);

}  // namespace emsdb::client

#endif  // EMSDB_CLIENT_TEXT_CHECK_H_
