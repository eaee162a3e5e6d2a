#include "pool/settings.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace emsdb {
namespace {

constexpr std::size_t kLongestShown = 24;

std::string ShownIf(const std::string& value, bool fit) {
  if (value.empty()) return "empty";
  if (fit && value.size() <= kLongestShown) return absl::StrFormat("'%s'", value);
  return absl::StrFormat("a text of %d characters", value.size());
}

// The whole of `text` as a T in plain decimal digits: no spaces, no '+', no exponent.
template <typename T, typename... Format>
std::optional<T> Parse(const std::string& text, Format... format) {
  T number{};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number, format...);
  if (error != std::errc() || stop != end) return std::nullopt;
  return number;
}

// Steps from `a` to `b`: a letter put in, left out, replaced, or swapped with its neighbour.
std::size_t Distance(const std::string& a, const std::string& b) {
  std::vector<std::vector<std::size_t>> steps(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) steps[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) steps[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = steps[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      steps[i][j] = std::min({steps[i - 1][j] + 1, steps[i][j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        steps[i][j] = std::min(steps[i][j], steps[i - 2][j - 2] + 1);
      }
    }
  }
  return steps[a.size()][b.size()];
}

// How far a slip of the pen may go: short names are near to everything.
std::size_t Reach(const std::string& name) { return name.size() < 9 ? 1 : 2; }

}  // namespace

std::string ShownNumber(const std::string& value) {
  return ShownIf(value, value.find_first_not_of("0123456789.-+eE") == std::string::npos);
}

std::string ShownWord(const std::string& value) {
  return ShownIf(value, std::all_of(value.begin(), value.end(), [](unsigned char c) {
                   return absl::ascii_isalnum(c) || c == '_' || c == '-';
                 }));
}

std::string Nearest(const std::string& name, const std::vector<std::string>& known) {
  std::string nearest;
  std::size_t least = Reach(name) + 1;
  for (const std::string& candidate : known) {
    const std::size_t distance = Distance(name, candidate);
    if (distance == 0 || distance >= least) continue;
    least = distance;
    nearest = candidate;
  }
  return nearest;
}

std::optional<std::string> SettingReader::Text(const std::string& name) {
  const auto found = settings_.find(name);
  if (found == settings_.end()) return std::nullopt;
  if (!found->second.empty()) return found->second;
  Complain(absl::StrFormat("%s is empty: give it a value or unset it", name));
  return std::nullopt;
}

std::optional<int> SettingReader::WholeNumber(const std::string& name, const NumberRule& rule) {
  const std::optional<std::string> text = Text(name);
  if (!text) return std::nullopt;
  const std::optional<int> number = Parse<int>(*text);
  if (number && *number >= rule.least && *number <= rule.most) return number;
  Complain(absl::StrFormat("%s is %s: %s", name, ShownNumber(*text), rule.rule));
  return std::nullopt;
}

std::optional<Duration> SettingReader::Seconds(const std::string& name, const SecondsRule& rule) {
  const std::optional<std::string> text = Text(name);
  if (!text) return std::nullopt;
  // Comparisons with NaN are false, so NaN and the infinities fall out here.
  const std::optional<double> seconds = Parse<double>(*text, std::chars_format::fixed);
  if (seconds && *seconds >= rule.least && *seconds <= rule.most) {
    return Duration(std::llround(*seconds * 1e9));
  }
  Complain(absl::StrFormat("%s is %s: %s", name, ShownNumber(*text), rule.rule));
  return std::nullopt;
}

std::optional<std::size_t> SettingReader::OneOf(const std::string& name,
                                                const std::vector<std::string>& words) {
  const std::optional<std::string> text = Text(name);
  if (!text) return std::nullopt;
  const auto found = std::find(words.begin(), words.end(), *text);
  if (found != words.end()) return found - words.begin();
  Complain(absl::StrFormat("%s is %s: must be one of %s", name, ShownWord(*text),
                           absl::StrJoin(words, ", ")));
  return std::nullopt;
}

void SettingReader::Complain(std::string complaint) {
  if (std::find(complaints_.begin(), complaints_.end(), complaint) != complaints_.end()) return;
  complaints_.push_back(std::move(complaint));
}

}  // namespace emsdb
