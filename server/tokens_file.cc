#include "server/tokens_file.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace emsdb {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kShortestToken = 16;
constexpr std::size_t kLongestName = 64;
constexpr char kHash[] = "sha256:";

bool Visible(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7F; });
}

bool IsName(const std::string& text) {
  return !text.empty() && text.size() <= kLongestName &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7F; });
}

// Reads a whole file and notes down everything that is wrong with it. Texts of the file are never
// repeated but for names of callers, databases and keys that look like words: what stands in a
// wrong place may be a token.
class Parser {
 public:
  explicit Parser(const std::vector<std::string>& databases) : databases_(databases) {}

  void Read(const std::string& content) {
    // The parser's own message quotes the text beside the mistake; its position is enough.
    Json file;
    try {
      file = Json::parse(content, RefuseTwins());
    } catch (const Json::parse_error& error) {
      return Complain(absl::StrFormat("is no JSON: the mistake is at byte %d", error.byte));
    } catch (const Json::exception&) {
      return Complain("is no JSON that can be read: it has a number out of all bounds");
    }
    if (!twin_.empty()) Complain(absl::StrFormat("has %s twice in one object", twin_));
    if (!file.is_object() || !file.contains("callers") || !file["callers"].is_array()) {
      return Complain("must be an object with a list \"callers\"");
    }
    OnlyKeys(file, {"callers"}, "the file");
    for (std::size_t i = 0; i < file["callers"].size(); ++i) {
      ReadCaller(file["callers"][i], absl::StrFormat("callers[%d]", i));
    }
    if (file["callers"].empty()) Complain("names no caller: nobody could call");
  }

  std::variant<std::shared_ptr<const Callers>, TokensComplaints> Result() && {
    if (!complaints_.empty()) return std::move(complaints_);
    return std::make_shared<const Callers>(std::move(callers_));
  }

 private:
  void Complain(std::string complaint) { complaints_.push_back(std::move(complaint)); }
  void Complain(const std::string& where, std::string_view rule) {
    complaints_.push_back(absl::StrFormat("%s: %s", where, rule));
  }

  // A key may be a token that slipped: it is shown only if it looks like a key.
  static std::string ShownKey(const std::string& key) {
    const bool word = key.size() <= 24 && std::all_of(key.begin(), key.end(), [](char c) {
                        return (c >= 'a' && c <= 'z') || c == '_';
                      });
    return word ? "\"" + key + "\"" : "a key of " + std::to_string(key.size()) + " characters";
  }

  // JSON lets a key stand twice and keeps the last one; here that would hide a right.
  Json::parser_callback_t RefuseTwins() {
    return [this](int, Json::parse_event_t event, Json& parsed) {
      if (event == Json::parse_event_t::object_start) keys_.emplace_back();
      if (event == Json::parse_event_t::object_end && !keys_.empty()) keys_.pop_back();
      if (event == Json::parse_event_t::key && !keys_.empty()) {
        const auto key = parsed.get<std::string>();
        if (!keys_.back().insert(key).second && twin_.empty()) twin_ = ShownKey(key);
      }
      return true;
    };
  }

  void OnlyKeys(const Json& object, const std::set<std::string>& known, const std::string& where) {
    for (const auto& [key, value] : object.items()) {
      if (!known.contains(key)) Complain(where, "has " + ShownKey(key) + ", which is no key here");
    }
  }

  void ReadCaller(const Json& entry, const std::string& where) {
    if (!entry.is_object()) return Complain(where, "must be an object");
    OnlyKeys(entry,
             {"caller", "tokens", "certificates", "databases", "highest_priority",
              "default_priority", "read_only", "operate"},
             where);
    CallerRights caller;
    ReadName(entry, where, caller);
    ReadTokens(entry, where, caller);
    ReadCertificates(entry, where, caller);
    if (!entry.contains("tokens") && !entry.contains("certificates")) {
      Complain(where, "needs \"tokens\" or \"certificates\": nothing could prove this caller");
    }
    ReadDatabases(entry, where, caller);
    ReadPriorities(entry, where, caller);
    if (Flag(entry, where, "read_only")) caller.access = Access::kReadOnly;
    if (Flag(entry, where, "operate")) caller.operating = Operating::kAllowed;
    callers_.push_back(std::move(caller));
  }

  void ReadName(const Json& entry, const std::string& where, CallerRights& caller) {
    const auto name = entry.find("caller");
    if (name == entry.end() || !name->is_string() || !IsName(name->get<std::string>())) {
      return Complain(where + ".caller", "must be a text of 1 to 64 printable ASCII characters");
    }
    caller.name = name->get<std::string>();
    const auto [first, added] = names_.emplace(caller.name, where);
    if (!added) Complain(where + ".caller", "is the same as that of " + first->second);
  }

  // The texts of a list that is not empty; complains of everything else.
  std::vector<std::pair<std::string, std::string>> Texts(const Json& entry,
                                                         const std::string& where,
                                                         const char* key) {
    std::vector<std::pair<std::string, std::string>> texts;
    const auto list = entry.find(key);
    if (list == entry.end()) return texts;
    const std::string path = where + "." + key;
    if (!list->is_array() || list->empty()) {
      Complain(path, "must be a list of at least one text");
      return texts;
    }
    for (std::size_t i = 0; i < list->size(); ++i) {
      const std::string at = absl::StrFormat("%s[%d]", path, i);
      if ((*list)[i].is_string()) {
        texts.emplace_back(at, (*list)[i].get<std::string>());
      } else {
        Complain(at, "must be a text");
      }
    }
    return texts;
  }

  void ReadTokens(const Json& entry, const std::string& where, CallerRights& caller) {
    for (const auto& [at, text] : Texts(entry, where, "tokens")) {
      std::optional<TokenDigest> digest;
      if (text.starts_with(kHash)) {
        digest = TokenDigest::FromHex(std::string_view(text).substr(sizeof kHash - 1));
        if (!digest) Complain(at, "must have 64 hexadecimal digits behind sha256:");
        if (digest && digest->Equals(TokenDigest::Of(""))) {
          Complain(at, "is the SHA-256 of an empty text: nothing was hashed");
        }
      } else if (text.size() < kShortestToken || !Visible(text)) {
        Complain(at, absl::StrFormat("must be sha256: and 64 hexadecimal digits, or a token of at "
                                     "least %d printable ASCII characters without spaces",
                                     kShortestToken));
      } else {
        digest = TokenDigest::Of(text);
      }
      if (!digest) continue;
      const auto same = std::find_if(tokens_.begin(), tokens_.end(), [&](const auto& known) {
        return known.second.Equals(*digest);
      });
      if (same != tokens_.end()) Complain(at, "is the same token as " + same->first);
      tokens_.emplace_back(at, *digest);
      caller.tokens.push_back(*digest);
    }
  }

  void ReadCertificates(const Json& entry, const std::string& where, CallerRights& caller) {
    for (const auto& [at, text] : Texts(entry, where, "certificates")) {
      if (text.empty()) {
        Complain(at, "must be a name in a certificate");
        continue;
      }
      const auto [first, added] = certificates_.emplace(text, at);
      if (!added) Complain(at, "is the same name as " + first->second);
      caller.certificates.push_back(text);
    }
  }

  void ReadDatabases(const Json& entry, const std::string& where, CallerRights& caller) {
    const auto list = entry.find("databases");
    if (list != entry.end() && *list == "*") return;
    if (list == entry.end()) {
      return Complain(where + ".databases", "is missing: a list of names, or \"*\" for all");
    }
    caller.databases.emplace();
    for (const auto& [at, name] : Texts(entry, where, "databases")) {
      if (std::find(databases_.begin(), databases_.end(), name) == databases_.end()) {
        Complain(at, "is no database; there are " + absl::StrJoin(databases_, ", "));
      }
      caller.databases->insert(name);
    }
  }

  std::optional<Priority> ReadPriority(const Json& entry, const std::string& where,
                                       const char* key) {
    const auto word = entry.find(key);
    if (word == entry.end()) return std::nullopt;
    const auto priority =
        word->is_string() ? PriorityNamed(word->get<std::string>()) : std::nullopt;
    if (!priority) {
      Complain(where + "." + key, "must be dispatch, clinical, operations or reporting");
    }
    return priority;
  }

  void ReadPriorities(const Json& entry, const std::string& where, CallerRights& caller) {
    caller.highest = ReadPriority(entry, where, "highest_priority").value_or(caller.highest);
    // OPERATIONS, unless it may not even have that.
    caller.unset = std::max(caller.highest, Priority::kOperations);
    const auto wanted = ReadPriority(entry, where, "default_priority");
    if (wanted && *wanted < caller.highest) {
      Complain(where + ".default_priority", "is above the highest_priority");
    }
    caller.unset = wanted.value_or(caller.unset);
  }

  bool Flag(const Json& entry, const std::string& where, const char* key) {
    const auto flag = entry.find(key);
    if (flag == entry.end()) return false;
    if (!flag->is_boolean()) Complain(where + "." + key, "must be true or false");
    return flag->is_boolean() && flag->get<bool>();
  }

  const std::vector<std::string>& databases_;
  std::vector<std::set<std::string>> keys_;  // of the objects that are being parsed
  std::string twin_;
  std::map<std::string, std::string> names_;
  std::map<std::string, std::string> certificates_;
  std::vector<std::pair<std::string, TokenDigest>> tokens_;
  std::vector<CallerRights> callers_;
  TokensComplaints complaints_;
};

}  // namespace

std::variant<std::shared_ptr<const Callers>, TokensComplaints> ParseTokensFile(
    const std::string& content, const std::vector<std::string>& databases) {
  Parser parser(databases);
  parser.Read(content);
  return std::move(parser).Result();
}

}  // namespace emsdb
