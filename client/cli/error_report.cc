#include "client/cli/error_report.h"

#include <algorithm>
#include <chrono>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "client/cli/terminal_text.h"
#include "client/error_info.h"

namespace emsdb::client::cli {
namespace {

// Of a long line only this many characters before and behind the caret are shown.
constexpr std::size_t kContext = 60;

// One line of a statement as characters; a tab is one blank, as the caret's line has no tabs.
struct ShownLine {
  std::vector<std::string> characters;
  std::size_t caret = 0;
  int number = 1;
};

std::string Shown(const Character& character) {
  return character.code == '\t' ? " " : EscapeForTerminal(character.bytes);
}

// The characters of the line that holds `position`. A position one behind the end is in the last
// line: "unexpected end" is found there.
ShownLine FindLine(std::string_view sql, int position) {
  ShownLine line;
  std::string_view rest = sql;
  for (int i = 1; i < position && !rest.empty(); ++i) {
    const Character character = TakeCharacter(rest);
    if (character.code == '\n') {
      line.characters.clear();
      ++line.number;
    } else {
      line.characters.push_back(Shown(character));
    }
  }
  line.caret = line.characters.size();
  while (!rest.empty() && rest.front() != '\n') {
    const Character character = TakeCharacter(rest);
    if (character.code != '\r') line.characters.push_back(Shown(character));
  }
  return line;
}

int CountCharacters(std::string_view text) {
  int count = 0;
  for (; !text.empty(); ++count) TakeCharacter(text);
  return count;
}

// The server's messages may have several lines; only the line ends are kept as they are.
std::string Escaped(std::string_view message) {
  std::string out;
  while (true) {
    const std::size_t end = message.find('\n');
    out += EscapeForTerminal(message.substr(0, end));
    if (end == std::string_view::npos) return out;
    out += "\n  ";
    message.remove_prefix(end + 1);
  }
}

std::string Facts(const ErrorInfo& info) {
  std::vector<std::string> facts;
  if (!info.sqlstate().empty()) facts.push_back("SQLSTATE " + info.sqlstate());
  for (const char* key : {"constraint", "schema", "table", "column", "stage"}) {
    if (!info.Get(key).empty()) facts.push_back(absl::StrCat(key, " ", info.Get(key)));
  }
  const std::string elapsed = info.Get("elapsed_ms");
  if (!elapsed.empty() && elapsed != "0") facts.push_back(absl::StrCat("after ", elapsed, " ms"));
  // The gateway's own word for it; "SQL_ERROR" would add nothing to a SQLSTATE.
  if (!info.reason.empty() && info.reason != "SQL_ERROR") facts.push_back(info.reason);
  return absl::StrJoin(facts, ", ");
}

std::string Advice(const absl::Status& status, const ErrorInfo& info) {
  std::string out;
  if (!info.Get("detail").empty()) out += "detail: " + Escaped(info.Get("detail")) + "\n";
  if (!info.Get("hint").empty()) out += "hint: " + Escaped(info.Get("hint")) + "\n";
  if (info.retry_after.has_value()) {
    absl::StrAppendFormat(&out, "try again in %.3g s\n",
                          std::chrono::duration<double>(*info.retry_after).count());
  }
  if (info.outcome_unknown() || absl::IsUnknown(status)) {
    out +=
        "No answer came: what the call writes may have been done or not. Look before you "
        "repeat it.\n";
    const std::string token = info.commit_token();
    if (!token.empty()) out += "To find out: emsdb outcome " + Escaped(token) + "\n";
  }
  return out;
}

}  // namespace

ExitStatus ExitStatusFor(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return ExitStatus::kOk;
    case absl::StatusCode::kUnavailable:
      return ExitStatus::kUnreachable;
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kDataLoss:
      return ExitStatus::kUnknown;
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kResourceExhausted:
      return ExitStatus::kGaveUp;
    default:
      return ExitStatus::kRefused;
  }
}

std::string CaretLines(std::string_view sql, int position, int first_line) {
  if (position < 1 || position > CountCharacters(sql) + 1) return "";
  const ShownLine line = FindLine(sql, position);
  const std::size_t begin = line.caret > kContext ? line.caret - kContext : 0;
  const std::size_t end = std::min(line.characters.size(), line.caret + kContext);
  const auto at = line.characters.begin();
  const std::string before =
      absl::StrCat("LINE ", first_line + line.number - 1, ": ", begin > 0 ? "..." : "",
                   absl::StrJoin(at + static_cast<std::ptrdiff_t>(begin),
                                 at + static_cast<std::ptrdiff_t>(line.caret), ""));
  const std::string behind = absl::StrJoin(at + static_cast<std::ptrdiff_t>(line.caret),
                                           at + static_cast<std::ptrdiff_t>(end), "");
  return absl::StrCat(before, behind, end < line.characters.size() ? "..." : "", "\n",
                      std::string(DisplayWidth(before), ' '), "^\n");
}

std::string ErrorReport(const absl::Status& status, const StatementSource& source) {
  const ErrorInfo info = ErrorInfoOf(status);
  std::string out = absl::StrCat("emsdb: ", absl::StatusCodeToString(status.code()), ": ",
                                 Escaped(std::string(status.message())), "\n");
  if (const std::string facts = Facts(info); !facts.empty()) out += "  " + Escaped(facts) + "\n";
  for (const FieldViolation& one : info.violations) {
    if (absl::StrContains(std::string(status.message()), one.description)) continue;
    absl::StrAppend(&out, "  ", Escaped(one.field), ": ", Escaped(one.description), "\n");
  }
  out += CaretLines(source.sql, info.position(), source.first_line);
  out += Advice(status, info);
  return out;
}

}  // namespace emsdb::client::cli
