// A value of the command line, shown as JSON, reads back as the same value; bytes do so as hex.
#include <cmath>
#include <string>

#include "client/cli/cell_text.h"
#include "client/cli/json_text.h"
#include "client/cli/parameters.h"
#include "tests/fuzz/target.h"
#include "tests/fuzz/targets.h"

namespace emsdb::fuzz {
namespace {

using client::cli::JsonValue;
using client::cli::ValueFromJsonText;

void CheckJson(const client::Value& value) {
  std::string json = JsonValue(value);
  if (const auto* bytes = value.get_if<client::Bytes>()) {
    json = "{\"hex\": " + JsonValue(client::cli::BytesText(bytes->data)) + "}";
  }
  const auto again = ValueFromJsonText(json);
  Require(again.ok() && *again == value, "a value shown as JSON reads back as the same");
}

}  // namespace

void CommandParameters(std::string_view input) {
  const std::string text(input);
  const auto value = ValueFromJsonText(text);
  if (value.ok()) {
    const auto* number = value->get_if<double>();
    Require(number == nullptr || std::isfinite(*number), "JSON has no infinite numbers");
    CheckJson(*value);
  }
  const auto bytes = client::cli::ValueFromHex(client::cli::BytesText(text));
  Require(bytes.ok() && *bytes == client::Value(client::Bytes{text}), "bytes read back from hex");
  if (const auto hex = client::cli::ValueFromHex(text); hex.ok()) {
    Require(hex->get_if<client::Bytes>() != nullptr, "hex is bytes");
  }
}

}  // namespace emsdb::fuzz
