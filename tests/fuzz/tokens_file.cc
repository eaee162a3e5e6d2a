// A token in the file proves its caller and nobody else; no complaint about a file shows a token.
#include "server/tokens_file.h"

#include <nlohmann/json.hpp>
#include <string>

#include "pool/utf8.h"
#include "tests/fuzz/reader.h"
#include "tests/fuzz/target.h"
#include "tests/fuzz/targets.h"

namespace emsdb::fuzz {
namespace {

// In the dictionary and the corpus, so that it stands in every wrong place.
constexpr char kToken[] = "Zq7-Token-9Xw2-Kp4v";

void CheckComplaints(const std::string& content) {
  const auto read = ParseTokensFile(content, {"main", "fire"});
  const auto* complaints = std::get_if<TokensComplaints>(&read);
  if (complaints == nullptr) return;
  Require(!complaints->empty(), "a file is refused for a reason");
  for (const std::string& complaint : *complaints) {
    Require(complaint.find(kToken) == std::string::npos, "no complaint shows a token");
    Require(IsUtf8(complaint), "a complaint can be printed");
  }
}

void CheckToken(const std::string& name, const std::string& token) {
  if (!IsUtf8(name) || !IsUtf8(token)) return;
  const nlohmann::json file = {{"callers",
                                {{{"caller", name},
                                  {"tokens", {token}},
                                  {"databases", "*"},
                                  {"highest_priority", "clinical"}}}}};
  const auto read = ParseTokensFile(file.dump(), {"main"});
  const auto* callers = std::get_if<std::shared_ptr<const Callers>>(&read);
  if (callers == nullptr || token.starts_with("sha256:")) return;
  const auto found = (*callers)->ByToken(token);
  Require(found != nullptr && found->name == name, "a token proves its caller");
  Require((*callers)->ByToken(token + "x") == nullptr, "a longer token proves nobody");
  Require((*callers)->ByToken(token.substr(1)) == nullptr, "a shorter token proves nobody");
}

}  // namespace

void TokensFile(std::string_view input) {
  CheckComplaints(std::string(input));
  Reader reader(input);
  const std::string name(reader.Text());
  CheckToken(name, std::string(reader.Text()));
}

}  // namespace emsdb::fuzz
