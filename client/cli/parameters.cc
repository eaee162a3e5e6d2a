#include "client/cli/parameters.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"

namespace emsdb::client::cli {
namespace {

// Skips the string that begins at `at`; gives the place behind it.
std::size_t BehindString(const std::string& json, std::size_t at) {
  for (++at; at < json.size() && json[at] != '"'; ++at) {
    if (json[at] == '\\') ++at;
  }
  return at + 1;
}

// Whether a number token is an integer that needs more than 64 bits.
bool LosesDigits(const std::string& token) {
  if (token.find_first_of(".eE") != std::string::npos) return false;
  std::int64_t value = 0;
  return !absl::SimpleAtoi(token, &value);
}

// `json` is known to be well formed.
bool HasOversizedInteger(const std::string& json) {
  std::size_t at = 0;
  while ((at = json.find_first_of("\"-0123456789", at)) < json.size()) {
    if (json[at] == '"') {
      at = BehindString(json, at);
      continue;
    }
    const std::size_t end = std::min(json.find_first_not_of("+-.eE0123456789", at), json.size());
    if (LosesDigits(json.substr(at, end - at))) return true;
    at = end;
  }
  return false;
}

// Looks on while a text is parsed: of a key that stands twice in an object the parser would keep
// the last one without a word.
class RepeatedKeyFinder {
 public:
  explicit RepeatedKeyFinder(std::string element_name) : element_name_(std::move(element_name)) {}

  void See(int depth, nlohmann::json::parse_event_t event, const nlohmann::json& parsed) {
    using Event = nlohmann::json::parse_event_t;
    const bool begins =
        event == Event::object_start || event == Event::array_start || event == Event::value;
    if (begins && depth == 1) ++element_;
    if (event == Event::object_start) {
      open_.emplace_back();
    } else if (event == Event::object_end) {
      open_.pop_back();
    } else if (event == Event::key && !open_.back().insert(parsed.get<std::string>()).second) {
      Complain(parsed.get<std::string>());
    }
  }

  // Empty if there is none.
  const std::string& complaint() const { return complaint_; }

 private:
  void Complain(const std::string& key) {
    if (!complaint_.empty()) return;
    if (!element_name_.empty()) complaint_ = absl::StrCat(element_name_, " ", element_, ": ");
    absl::StrAppend(&complaint_, "the key \"", key, "\" stands there twice");
  }

  const std::string element_name_;
  std::vector<std::set<std::string>> open_;  // the keys of each object that has not ended
  int element_ = 0;                          // of the outermost array, from 1
  std::string complaint_;
};

}  // namespace

absl::StatusOr<nlohmann::json> ParseJson(const std::string& text, const std::string& element) {
  RepeatedKeyFinder keys(element);
  try {
    nlohmann::json json = nlohmann::json::parse(
        text,
        [&keys](int depth, nlohmann::json::parse_event_t event, const nlohmann::json& parsed) {
          keys.See(depth, event, parsed);
          return true;
        });
    if (!keys.complaint().empty()) return absl::InvalidArgumentError(keys.complaint());
    if (!HasOversizedInteger(text)) return json;
  } catch (const nlohmann::json::out_of_range&) {
    return absl::InvalidArgumentError("a number is too large; send it as text");
  } catch (const nlohmann::json::parse_error& error) {
    return absl::InvalidArgumentError(
        absl::StrCat("not JSON, at byte ", static_cast<std::size_t>(error.byte)));
  }
  return absl::InvalidArgumentError("an integer does not fit into 64 bits; send it as text");
}

absl::StatusOr<Value> ValueFromJson(const nlohmann::json& json) {
  switch (json.type()) {
    case nlohmann::json::value_t::null:
      return Value();
    case nlohmann::json::value_t::boolean:
      return Value(json.get<bool>());
    case nlohmann::json::value_t::number_integer:
    case nlohmann::json::value_t::number_unsigned:
      return Value(json.get<std::int64_t>());
    case nlohmann::json::value_t::number_float:
      return Value(json.get<double>());
    case nlohmann::json::value_t::string:
      return Value(json.get<std::string>());
    case nlohmann::json::value_t::object:
      if (json.size() == 1 && json.contains("hex") && json["hex"].is_string()) {
        return ValueFromHex(json["hex"].get<std::string>());
      }
      break;
    default:
      break;
  }
  return absl::InvalidArgumentError(
      R"(a parameter must be null, true, false, a number, a string or {"hex": "00ff"})");
}

absl::StatusOr<Value> ValueFromJsonText(const std::string& text) {
  const absl::StatusOr<nlohmann::json> json = ParseJson(text, "");
  if (!json.ok()) return json.status();
  return ValueFromJson(*json);
}

absl::StatusOr<Value> ValueFromHex(std::string_view text) {
  if (text.starts_with("\\x")) text.remove_prefix(2);
  const bool digits = std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isxdigit(static_cast<unsigned char>(c));
  });
  if (!digits || text.size() % 2 != 0) {
    return absl::InvalidArgumentError("bytes must be given as pairs of hexadecimal digits");
  }
  return Value(Bytes{absl::HexStringToBytes(std::string(text))});
}

}  // namespace emsdb::client::cli
