#include "server/callers.h"

#include <algorithm>
#include <array>
#include <utility>

namespace emsdb {

std::optional<Priority> PriorityNamed(std::string_view name) {
  static constexpr std::array<std::string_view, kPriorities> kNames = {"dispatch", "clinical",
                                                                       "operations", "reporting"};
  const auto found = std::find(kNames.begin(), kNames.end(), name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<Priority>(found - kNames.begin());
}

Callers::Callers(std::vector<CallerRights> callers) {
  callers_.reserve(callers.size());
  for (CallerRights& caller : callers) {
    callers_.push_back(std::make_shared<const CallerRights>(std::move(caller)));
  }
}

Callers::Found Callers::ByToken(std::string_view token) const {
  const TokenDigest shown = TokenDigest::Of(token);
  Found found;
  for (const Found& caller : callers_) {
    for (const TokenDigest& known : caller->tokens) {
      if (known.Equals(shown)) found = caller;
    }
  }
  return found;
}

Callers::Found Callers::ByCertificate(const std::string& name) const {
  for (const Found& caller : callers_) {
    const auto& known = caller->certificates;
    if (std::find(known.begin(), known.end(), name) != known.end()) return caller;
  }
  return nullptr;
}

}  // namespace emsdb
