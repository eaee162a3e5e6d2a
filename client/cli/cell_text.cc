#include "client/cli/cell_text.h"

#include <array>
#include <charconv>
#include <cmath>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace emsdb::client::cli {
namespace {

struct ToText {
  std::string operator()(Null) const { return ""; }
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(std::int64_t value) const { return absl::StrCat(value); }
  std::string operator()(double value) const { return DoubleText(value); }
  std::string operator()(const std::string& text) const { return text; }
  std::string operator()(const Bytes& bytes) const { return BytesText(bytes.data); }
};

}  // namespace

std::string DoubleText(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  std::array<char, 32> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return {text.data(), end};
}

std::string BytesText(std::string_view bytes) {
  return absl::StrCat("\\x", absl::BytesToHexString(std::string(bytes)));
}

std::string PlainText(const Value& value) { return std::visit(ToText{}, value.kind()); }

bool IsNumberType(const std::string& type) {
  static const auto& types = *new std::set<std::string>{
      "int2",  "int4", "int8", "oid",     "float4", "float8", "numeric",
      "money", "int",  "real", "integer", "bigint", "double", "smallint"};
  return types.contains(absl::AsciiStrToLower(type));
}

}  // namespace emsdb::client::cli
