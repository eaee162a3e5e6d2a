#include "client/cli/statement_splitter.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace emsdb::client::cli {
namespace {

bool IsWordStart(char c) {
  return absl::ascii_isalpha(static_cast<unsigned char>(c)) || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

bool IsWord(char c) {
  return IsWordStart(c) || absl::ascii_isdigit(static_cast<unsigned char>(c)) || c == '$';
}

// Walks over the script token by token; a token is a quoted text, a comment, a word, or one
// character.
class Splitter {
 public:
  explicit Splitter(std::string_view script) : script_(script) {}

  absl::StatusOr<std::vector<ScriptStatement>> Split() {
    while (at_ < script_.size()) {
      if (absl::Status status = Step(); !status.ok()) return status;
    }
    EndStatement(at_);
    return std::move(statements_);
  }

 private:
  absl::Status Step() {
    const char c = script_[at_];
    if (StartsWith("--")) return SkipLine();
    if (StartsWith("/*")) return SkipComment();
    if (absl::ascii_isspace(static_cast<unsigned char>(c))) return Skip(1);
    MarkContent();
    if (c == '\'' && ContinuesEscapes()) return SkipEscaped();
    escaped_end_ = std::string_view::npos;
    if (c == '\'') return SkipQuoted('\'', "quote", BackslashEscapes::kNo);
    if (c == '"') return SkipQuoted('"', "quoted name", BackslashEscapes::kNo);
    if (c == '$') return SkipDollar();
    if (IsWordStart(c)) return TakeWord();
    if (absl::ascii_isdigit(static_cast<unsigned char>(c))) return SkipNumber();
    if (c == ';' && parentheses_ <= 0 && blocks_ <= 0) {
      EndStatement(at_);
      return Skip(1);
    }
    if (c == '(') ++parentheses_;
    if (c == ')') --parentheses_;
    return Skip(1);
  }

  enum class BackslashEscapes { kNo, kYes };

  absl::Status SkipQuoted(char quote, const char* what, BackslashEscapes escapes) {
    const std::size_t begin = at_++;
    for (; at_ < script_.size(); ++at_) {
      if (escapes == BackslashEscapes::kYes && script_[at_] == '\\') {
        ++at_;
      } else if (script_[at_] == quote) {
        if (at_ + 1 >= script_.size() || script_[at_ + 1] != quote) return Skip(1);
        ++at_;  // doubled, it is one inside
      }
    }
    return NeverClosed(what, begin);
  }

  absl::Status SkipEscaped() {
    absl::Status status = SkipQuoted('\'', "quote", BackslashEscapes::kYes);
    escaped_end_ = at_;
    return status;
  }

  // Whether the quote here goes on with E'...' by the same rules: behind a new line it does.
  bool ContinuesEscapes() const {
    if (escaped_end_ == std::string_view::npos) return false;
    const std::string_view between = script_.substr(escaped_end_, at_ - escaped_end_);
    return between.find_first_of("\r\n") != std::string_view::npos;
  }

  absl::Status SkipLine() {
    at_ = std::min(script_.find_first_of("\r\n", at_), script_.size());
    return absl::OkStatus();
  }

  absl::Status SkipComment() {
    const std::size_t begin = at_;
    int depth = 0;
    while (at_ < script_.size()) {
      if (StartsWith("/*")) {
        ++depth;
        at_ += 2;
      } else if (StartsWith("*/")) {
        at_ += 2;
        if (--depth == 0) return absl::OkStatus();
      } else {
        ++at_;
      }
    }
    return NeverClosed("comment", begin);
  }

  // $tag$ ... $tag$; but $1 is a placeholder.
  absl::Status SkipDollar() {
    const std::size_t begin = at_;
    std::size_t end = at_ + 1;
    while (end < script_.size() && absl::ascii_isdigit(static_cast<unsigned char>(script_[end]))) {
      ++end;
    }
    if (end > begin + 1) return Skip(end - begin);
    if (end < script_.size() && IsWordStart(script_[end])) {
      while (end < script_.size() && IsWord(script_[end]) && script_[end] != '$') ++end;
    }
    if (end >= script_.size() || script_[end] != '$') return Skip(1);
    const std::string_view tag = script_.substr(begin, end + 1 - begin);
    const std::size_t close = script_.find(tag, end + 1);
    if (close == std::string_view::npos) return NeverClosed("dollar quote", begin);
    at_ = close + tag.size();
    return absl::OkStatus();
  }

  // A number may run into letters (0x1F, 1e5), and must not make a word of them. A dollar behind it
  // begins something else.
  absl::Status SkipNumber() {
    const auto is_number = [](char c) {
      return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.';
    };
    while (at_ < script_.size() && is_number(script_[at_])) ++at_;
    return absl::OkStatus();
  }

  absl::Status TakeWord() {
    const std::size_t begin = at_;
    while (at_ < script_.size() && IsWord(script_[at_])) ++at_;
    const std::string word = absl::AsciiStrToUpper(std::string(script_.substr(begin, at_ - begin)));
    if (word == "E" && StartsWith("'")) return SkipEscaped();
    CountBlocks(word);
    previous_word_ = word;
    return absl::OkStatus();
  }

  // Only CREATE FUNCTION, PROCEDURE and TRIGGER have a body of statements. In it BEGIN and CASE
  // open what END closes.
  void CountBlocks(const std::string& word) {
    if (words_++ == 0) creates_ = word == "CREATE";
    if (!creates_) return;
    if (words_ <= 6 && (word == "FUNCTION" || word == "PROCEDURE" || word == "TRIGGER")) {
      may_have_body_ = true;
    }
    if (!may_have_body_) return;
    if (word == "BEGIN" || (word == "CASE" && previous_word_ != "END")) ++blocks_;
    if (word == "END") --blocks_;
  }

  void MarkContent() {
    if (has_content_) return;
    has_content_ = true;
    begin_ = at_;
  }

  void EndStatement(std::size_t end) {
    if (has_content_ && begin_ < end) {
      const std::string_view sql = script_.substr(begin_, end - begin_);
      const auto before = script_.substr(0, begin_);
      statements_.push_back(
          {.sql = std::string(absl::StripAsciiWhitespace(std::string(sql))),
           .line = 1 + static_cast<int>(std::count(before.begin(), before.end(), '\n'))});
    }
    has_content_ = creates_ = may_have_body_ = false;
    parentheses_ = blocks_ = words_ = 0;
    previous_word_.clear();
  }

  absl::Status NeverClosed(const char* what, std::size_t begin) const {
    const auto before = script_.substr(0, begin);
    return absl::InvalidArgumentError(
        absl::StrCat("line ", 1 + std::count(before.begin(), before.end(), '\n'), ": a ", what,
                     " is opened and never closed"));
  }

  absl::Status Skip(std::size_t count) {
    at_ += count;
    return absl::OkStatus();
  }

  bool StartsWith(std::string_view text) const { return script_.substr(at_).starts_with(text); }

  const std::string_view script_;
  std::size_t at_ = 0;
  std::size_t escaped_end_ = std::string_view::npos;  // of an E'...' with nothing behind it so far
  std::vector<ScriptStatement> statements_;

  // The statement at hand.
  bool has_content_ = false;
  std::size_t begin_ = 0;
  int parentheses_ = 0;
  int blocks_ = 0;
  int words_ = 0;
  bool creates_ = false;
  bool may_have_body_ = false;
  std::string previous_word_;
};

}  // namespace

absl::StatusOr<std::vector<ScriptStatement>> SplitScript(std::string_view script) {
  return Splitter(script).Split();
}

}  // namespace emsdb::client::cli
