// Settings as the environment gives them, names to texts, and the reader that turns texts into
// numbers and notes down everything that is wrong, so that an operator sees the whole list at once.
// The environment itself is read elsewhere: here it is a map.
#ifndef EMSDB_POOL_SETTINGS_H_
#define EMSDB_POOL_SETTINGS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "pool/clock.h"

namespace emsdb {

using Settings = std::map<std::string, std::string>;

// What a whole number must be; `rule` is the sentence that a refusal ends with.
struct NumberRule {
  int least = 0;
  int most = 0;
  std::string rule;
};

// What a span of time must be, in seconds; fractions are welcome.
struct SecondsRule {
  double least = 0;
  double most = 0;
  std::string rule;
};

// Reads from settings that outlive it. Each method answers nothing where the variable is not set,
// and nothing plus a complaint where its value breaks the rule. A complaint shows a value only
// where it is made of the characters of a number: what was meant for another variable may be a URL
// with a password. One thread.
class SettingReader {
 public:
  explicit SettingReader(const Settings& settings) : settings_(settings) {}

  std::optional<std::string> Text(const std::string& name);
  std::optional<int> WholeNumber(const std::string& name, const NumberRule& rule);
  std::optional<Duration> Seconds(const std::string& name, const SecondsRule& rule);

  // One of `words`, by its place among them.
  std::optional<std::size_t> OneOf(const std::string& name, const std::vector<std::string>& words);

  // A complaint that is already there is not repeated: several databases share most variables.
  void Complain(std::string complaint);

  bool IsSet(const std::string& name) const { return settings_.contains(name); }
  const Settings& settings() const { return settings_; }
  const std::vector<std::string>& complaints() const { return complaints_; }

 private:
  const Settings& settings_;
  std::vector<std::string> complaints_;
};

// `value` in quotes if a complaint may show it, else how long it is: "'-3'", "a text of 41
// characters".
std::string ShownNumber(const std::string& value);

// The same for words: letters, digits, '_' and '-', at most 24.
std::string ShownWord(const std::string& value);

// The name among `known` that `name` is most likely a slip of the pen for; empty if none is near.
std::string Nearest(const std::string& name, const std::vector<std::string>& known);

}  // namespace emsdb

#endif  // EMSDB_POOL_SETTINGS_H_
