// Sends the cases of run.py through the C++ client library.

#include "client/client.h"

#include <bit>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/escaping.h"

namespace {

using emsdb::client::BatchStatement;
using emsdb::client::Bytes;
using emsdb::client::Client;
using emsdb::client::Result;
using emsdb::client::Value;
using nlohmann::json;

double DoubleOf(const std::string& hex) {
  std::uint64_t bits = 0;
  std::from_chars(hex.data(), hex.data() + hex.size(), bits, 16);
  return std::bit_cast<double>(bits);
}

std::string HexOf(double number) {
  const auto bits = std::bit_cast<std::uint64_t>(number);
  std::string hex;
  for (int shift = 60; shift >= 0; shift -= 4) hex += "0123456789abcdef"[(bits >> shift) & 0xF];
  return hex;
}

Value ToValue(const json& pair) {
  const std::string kind = pair[0];
  const std::string text = pair[1];
  if (kind == "bool") return text == "true";
  if (kind == "int64") return std::int64_t{std::stoll(text)};
  if (kind == "double") return DoubleOf(text);
  if (kind == "string") return text;
  if (kind == "bytes") return Bytes{absl::HexStringToBytes(text)};
  return {};
}

json FromValue(const Value& value) {
  if (const bool* truth = value.get_if<bool>()) return {"bool", *truth ? "true" : "false"};
  if (const auto* number = value.get_if<std::int64_t>()) return {"int64", std::to_string(*number)};
  if (const double* number = value.get_if<double>()) return {"double", HexOf(*number)};
  if (const std::string* text = value.get_if<std::string>()) return {"string", *text};
  if (const Bytes* bytes = value.get_if<Bytes>()) {
    return {"bytes", absl::BytesToHexString(bytes->data)};
  }
  return {"null", ""};
}

absl::StatusOr<Result> Answer(const Client& client, const json& statements) {
  std::vector<BatchStatement> batch;
  for (const json& statement : statements) {
    batch.push_back({.sql = statement["sql"]});
    for (const json& value : statement["parameters"]) {
      batch.back().parameters.push_back(ToValue(value));
    }
  }
  if (batch.size() == 1) return client.Query("main", batch[0].sql, batch[0].parameters);
  auto results = client.ExecuteBatch("main", std::move(batch));
  if (!results.ok()) return results.status();
  return std::move(results->back());
}

json Seen(const absl::StatusOr<Result>& result) {
  if (!result.ok()) return result.status().ToString();
  json columns = json::array();
  for (const auto& column : result->columns) columns.push_back(column.type);
  json rows = json::array();
  for (const auto& row : result->rows) {
    rows.push_back(json::array());
    for (const Value& value : row) rows.back().push_back(FromValue(value));
  }
  return {columns, rows};
}

}  // namespace

int main() {
  const json cases = json::parse(std::ifstream(std::getenv("EMSDB_CASES")));
  const auto client = Client::Connect({.address = std::getenv("EMSDB_ADDRESS")});
  int wrong = 0;
  for (const json& one : cases) {
    const json seen = Seen(Answer(*client, one["statements"]));
    json rows = json::array();
    if (!one["columns"].empty()) rows.push_back(one["row"]);
    if (seen == json{one["columns"], rows}) continue;
    ++wrong;
    std::cout << std::string(one["name"]) << ": " << seen.dump().substr(0, 300) << ", not "
              << one["row"].dump().substr(0, 300) << '\n';
  }
  if (wrong > 0) {
    std::cout << wrong << " of " << cases.size() << " are wrong\n";
    return 1;
  }
  std::cout << "checked " << cases.size() << '\n';
  return 0;
}
