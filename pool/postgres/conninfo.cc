#include "pool/postgres/conninfo.h"

#include <libpq-fe.h>

#include <charconv>
#include <memory>

namespace emsdb {
namespace {

struct OptionsDeleter {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};

// T38: what finds out that a peer is gone although nobody said so. GSS encryption is off, since
// looking for a Kerberos ticket may block.
constexpr const char* kDefaults[][2] = {
    {"application_name", "emsdb-gateway"},
    {"keepalives", "1"},
    {"keepalives_idle", "30"},
    {"keepalives_interval", "10"},
    {"keepalives_count", "3"},
    {"tcp_user_timeout", "30000"},
    {"gssencmode", "disable"},
};

// T53: the text of every value is the same whatever the server's or the role's settings are. As
// options of the start they are what RESET ALL and DISCARD ALL return to.
constexpr char kSession[] =
    " -c DateStyle=ISO -c TimeZone=UTC -c IntervalStyle=postgres -c extra_float_digits=1"
    " -c bytea_output=hex -c standard_conforming_strings=on";

}  // namespace

absl::StatusOr<Conninfo> Conninfo::Parse(const std::string& uri) {
  char* complaint = nullptr;
  const std::unique_ptr<PQconninfoOption, OptionsDeleter> options(
      PQconninfoParse(uri.c_str(), &complaint));
  if (complaint != nullptr) PQfreemem(complaint);  // it quotes the URI
  if (options == nullptr) {
    return absl::InvalidArgumentError(
        "the database URL is not one that PostgreSQL's client library understands");
  }
  Conninfo info;
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val != nullptr) info.parameters_[option->keyword] = option->val;
  }
  info.SetDefaults();
  return info;
}

void Conninfo::SetDefaults() {
  for (const auto& [keyword, value] : kDefaults) parameters_.try_emplace(keyword, value);
  parameters_["client_encoding"] = "UTF8";
  parameters_["options"] += kSession;
}

std::vector<const char*> Conninfo::Keywords() const {
  std::vector<const char*> keywords;
  for (const auto& [keyword, value] : parameters_) keywords.push_back(keyword.c_str());
  keywords.push_back(nullptr);
  return keywords;
}

std::vector<const char*> Conninfo::Values() const {
  std::vector<const char*> values;
  for (const auto& [keyword, value] : parameters_) values.push_back(value.c_str());
  values.push_back(nullptr);
  return values;
}

std::optional<Duration> Conninfo::connect_timeout() const {
  const auto found = parameters_.find("connect_timeout");
  if (found == parameters_.end()) return std::nullopt;
  const std::string& text = found->second;
  int seconds = 0;
  std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (seconds <= 0) return std::nullopt;  // libpq's "no limit"
  return std::chrono::seconds(seconds);
}

std::string Conninfo::Redact(std::string text) const {
  for (const char* secret : {"password", "sslpassword"}) {
    const auto found = parameters_.find(secret);
    if (found == parameters_.end() || found->second.empty()) continue;
    for (std::size_t at = text.find(found->second); at != std::string::npos;
         at = text.find(found->second, at)) {
      text.replace(at, found->second.size(), "***");
      at += 3;
    }
  }
  return text;
}

}  // namespace emsdb
