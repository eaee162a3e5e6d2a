#include "client/text_check.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/error_info.h"

namespace emsdb::client {
namespace {

// The length of the character at the start of `text`, which is not empty; 0 if there is none.
std::size_t CharacterLength(std::string_view text) {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4) return 0;
  const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (text.size() < length) return 0;
  // Only the second byte's range depends on the lead: it keeps out overlong forms, surrogates and
  // what is too large.
  const unsigned char least = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const unsigned char most = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (byte(1) < least || byte(1) > most) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  return length;
}

absl::Status Refuse(const std::string& field, const std::string& problem) {
  const std::string description = absl::StrCat(problem, "; nothing was sent");
  return WithErrorInfo(absl::InvalidArgumentError(absl::StrCat(field, ": ", description)),
                       {.reason = "INVALID_FIELD",
                        .metadata = {{"retryable", "false"}},
                        .violations = {{.field = field, .description = description}}});
}

absl::Status CheckField(const std::string& field, const std::string& text) {
  const std::string problem = TextProblem(text);
  return problem.empty() ? absl::OkStatus() : Refuse(field, problem);
}

// `field`: of the statement itself, in its request.
absl::Status CheckStatement(const std::string& field, const v1::Statement& statement) {
  if (absl::Status status = CheckField(absl::StrCat(field, ".sql"), statement.sql());
      !status.ok()) {
    return status;
  }
  for (int i = 0; i < statement.parameters_size(); ++i) {
    const std::string problem = TextProblem(statement.parameters(i).string_value());
    if (problem.empty()) continue;
    return Refuse(absl::StrCat(field, ".parameters[", i, "]"),
                  absl::StrCat("a text that ", problem, "; send bytes"));
  }
  for (int i = 0; i < statement.parameter_types_size(); ++i) {
    const std::string problem = TextProblem(statement.parameter_types(i));
    if (!problem.empty()) return Refuse(absl::StrCat(field, ".parameter_types[", i, "]"), problem);
  }
  return absl::OkStatus();
}

// With the statement's index, as the gateway says which one failed.
absl::Status WithStatement(absl::Status status, int index) {
  ErrorInfo info = ErrorInfoOf(status);
  info.metadata["statement"] = absl::StrCat(index);
  return WithErrorInfo(std::move(status), info);
}

}  // namespace

bool IsUtf8(std::string_view text) {
  constexpr std::uint64_t kHighBits = 0x8080808080808080ULL;
  while (!text.empty()) {
    // Most text is ASCII: eight bytes at a stroke.
    std::uint64_t eight = kHighBits;
    if (text.size() >= sizeof eight) std::memcpy(&eight, text.data(), sizeof eight);
    const std::size_t length = (eight & kHighBits) == 0 ? sizeof eight : CharacterLength(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string TextProblem(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) return "has U+0000 in it";
  if (!IsUtf8(text)) return "is not valid UTF-8";
  return "";
}

absl::Status CheckDatabaseName(const std::string& database) {
  return CheckField("database", database);
}

absl::Status CheckSavepoint(const v1::SavepointAction& action) {
  if (absl::Status set = CheckField("savepoint.set", action.set()); !set.ok()) return set;
  if (absl::Status back = CheckField("savepoint.rollback_to", action.rollback_to()); !back.ok()) {
    return back;
  }
  return CheckField("savepoint.release", action.release());
}

absl::Status CheckCommitToken(const std::string& token) {
  return CheckField("commit_token", token);
}

absl::Status CheckTexts(const std::string& database, const v1::Statement& statement) {
  if (absl::Status status = CheckDatabaseName(database); !status.ok()) return status;
  return CheckStatement("statement", statement);
}

absl::Status CheckTexts(const v1::CopyInStart& start) {
  absl::Status status = CheckDatabaseName(start.database());
  if (status.ok()) status = CheckField("start.schema", start.schema());
  if (status.ok()) status = CheckField("start.table", start.table());
  for (int i = 0; i < start.columns_size() && status.ok(); ++i) {
    status = CheckField(absl::StrCat("start.columns[", i, "]"), start.columns(i));
  }
  return status;
}

absl::Status CheckTexts(const v1::ExecuteBatchRequest& request) {
  if (absl::Status status = CheckDatabaseName(request.database()); !status.ok()) return status;
  for (int i = 0; i < request.statements_size(); ++i) {
    absl::Status status = CheckStatement(absl::StrCat("statements[", i, "].statement"),
                                         request.statements(i).statement());
    if (!status.ok()) return WithStatement(std::move(status), i);
  }
  return absl::OkStatus();
}

}  // namespace emsdb::client
