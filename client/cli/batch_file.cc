#include "client/cli/batch_file.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "client/cli/parameters.h"
#include "client/cli/statement_splitter.h"
#include "nlohmann/json.hpp"

namespace emsdb::client::cli {
namespace {

absl::Status Wrong(const std::string& what) { return absl::InvalidArgumentError(what); }

absl::Status ReadParameters(const nlohmann::json& json, BatchStatement& into) {
  if (!json.is_array()) return Wrong("\"params\" must be an array");
  for (const nlohmann::json& one : json) {
    absl::StatusOr<Value> value = ValueFromJson(one);
    if (!value.ok()) return value.status();
    into.parameters.push_back(*std::move(value));
  }
  return absl::OkStatus();
}

absl::Status ReadTypes(const nlohmann::json& json, BatchStatement& into) {
  if (!json.is_array()) return Wrong("\"types\" must be an array");
  for (const nlohmann::json& one : json) {
    if (!one.is_string()) return Wrong("\"types\" must hold strings");
    into.parameter_types.push_back(one.get<std::string>());
  }
  return absl::OkStatus();
}

absl::Status ReadKey(const std::string& key, const nlohmann::json& json, BatchStatement& into) {
  if (key == "params") return ReadParameters(json, into);
  if (key == "types") return ReadTypes(json, into);
  if (key == "sql") {
    if (!json.is_string()) return Wrong("\"sql\" must be a string");
    into.sql = json.get<std::string>();
    return absl::OkStatus();
  }
  if (key == "expect_rows") {
    if (!json.is_number_unsigned()) return Wrong("\"expect_rows\" must be an integer from 0");
    into.expect_rows = json.get<std::int64_t>();
    return absl::OkStatus();
  }
  return Wrong(absl::StrCat("there is no key \"", key, "\""));
}

absl::StatusOr<NumberedStatement> ReadStatement(const nlohmann::json& json) {
  if (!json.is_object()) return Wrong("must be an object");
  if (!json.contains("sql")) return Wrong("\"sql\" is missing");
  NumberedStatement out;
  for (const auto& [key, value] : json.items()) {
    if (absl::Status status = ReadKey(key, value, out.statement); !status.ok()) return status;
  }
  return out;
}

absl::StatusOr<std::vector<NumberedStatement>> ReadJson(const std::string& text) {
  const absl::StatusOr<nlohmann::json> json = ParseJson(text, "statement");
  if (!json.ok()) return json.status();
  std::vector<NumberedStatement> out;
  for (const nlohmann::json& one : *json) {
    absl::StatusOr<NumberedStatement> statement = ReadStatement(one);
    if (!statement.ok()) {
      return Wrong(absl::StrCat("statement ", out.size() + 1, ": ",
                                std::string(statement.status().message())));
    }
    out.push_back(*std::move(statement));
  }
  return out;
}

absl::StatusOr<std::vector<NumberedStatement>> ReadSql(const std::string& text) {
  absl::StatusOr<std::vector<ScriptStatement>> script = SplitScript(text);
  if (!script.ok()) return script.status();
  std::vector<NumberedStatement> out;
  for (ScriptStatement& one : *script) {
    out.push_back({.statement = {.sql = std::move(one.sql)}, .line = one.line});
  }
  return out;
}

}  // namespace

absl::StatusOr<std::vector<NumberedStatement>> ReadBatch(const std::string& text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  const bool json = begin != std::string::npos && text[begin] == '[';
  auto out = json ? ReadJson(text) : ReadSql(text);
  if (out.ok() && out->empty()) return Wrong("there is no statement in it");
  return out;
}

}  // namespace emsdb::client::cli
