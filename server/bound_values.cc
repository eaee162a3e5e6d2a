#include "server/bound_values.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <variant>

#include "absl/strings/escaping.h"
#include "absl/strings/str_format.h"
#include "pool/utf8.h"

namespace emsdb {
namespace {

struct Shown {
  Fields operator()(Null) const { return nullptr; }
  Fields operator()(bool value) const { return value; }
  Fields operator()(std::int64_t value) const { return value; }
  Fields operator()(double value) const {
    // JSON has no sign for the others.
    return std::isfinite(value) ? Fields(value) : Fields(absl::StrFormat("%g", value));
  }
  Fields operator()(const std::string& text) const { return Shortened(text, kMostShownBytes); }
  Fields operator()(const Bytes& bytes) const {
    const std::string hex = absl::BytesToHexString(bytes.data.substr(0, kMostShownBytes));
    return Shortened("\\x" + hex, kMostShownBytes);
  }
};

}  // namespace

Fields ShownValues(const std::vector<Value>& values) {
  Fields shown = Fields::array();
  const std::size_t count = std::min(values.size(), kMostShownValues);
  for (std::size_t i = 0; i < count; ++i) shown.push_back(std::visit(Shown{}, values[i]));
  if (count < values.size()) {
    shown.push_back(absl::StrFormat("... %d more", values.size() - count));
  }
  return shown;
}

}  // namespace emsdb
