// Whatever a caller says of itself, what is believed is fit for a log, and no answer shows a token.
#include <algorithm>
#include <string>

#include "server/caller.h"
#include "tests/fuzz/reader.h"
#include "tests/fuzz/target.h"
#include "tests/fuzz/targets.h"

namespace emsdb::fuzz {
namespace {

// In the dictionary and the corpus.
constexpr char kToken[] = "Zq7-Token-9Xw2-Kp4v";

bool Printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7F; });
}

bool IsHex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// By the W3C's Trace Context, version 00 and what later ones keep.
bool IsTraceParent(std::string_view text) {
  return text.size() == 55 && text[2] == '-' && text[35] == '-' && text[52] == '-' &&
         IsHex(text.substr(0, 2)) && IsHex(text.substr(3, 32)) && IsHex(text.substr(36, 16)) &&
         IsHex(text.substr(53)) && text.substr(0, 2) != "ff" &&
         text.substr(3, 32).find_first_not_of('0') != std::string_view::npos &&
         text.substr(36, 16).find_first_not_of('0') != std::string_view::npos;
}

void CheckCaller(const Caller& caller) {
  Require(Printable(caller.name) && caller.name.size() <= 64, "a name is fit for a log");
  Require(caller.trace_parent.empty() || IsTraceParent(caller.trace_parent), "a trace's parent");
}

std::shared_ptr<const Callers> KnownCallers() {
  CallerRights rights;
  rights.name = "cad";
  rights.tokens = {TokenDigest::Of(kToken)};
  rights.certificates = {"cad.example"};
  return std::make_shared<const Callers>(std::vector<CallerRights>{rights});
}

}  // namespace

void Metadata(std::string_view input) {
  static const auto& known = *new std::shared_ptr<const Callers>(KnownCallers());
  Reader reader(input);
  const std::uint8_t kind = reader.Byte();
  Introduction introduction;
  introduction.trace_parent = reader.Text();
  introduction.label = reader.Text();
  introduction.priority = reader.Text();
  for (int i = 0; i < kind % 3; ++i) introduction.authorizations.emplace_back(reader.Text());
  CheckCaller(Unrecognised(introduction));
  for (const Callers* callers : {static_cast<const Callers*>(nullptr), known.get()}) {
    const auto caller = Recognise(introduction, callers);
    if (caller.ok()) {
      CheckCaller(*caller);
      Require(callers == nullptr || caller->rights != nullptr, "who is let in has rights");
      if (callers != nullptr) {
        Require(introduction.authorizations.size() == 1, "one token proves a caller");
        Require(introduction.authorizations[0].ends_with(kToken), "a known token");
      }
      continue;
    }
    Require(caller.status().message().find(kToken) == std::string_view::npos,
            "no answer shows a token");
  }
}

}  // namespace emsdb::fuzz
