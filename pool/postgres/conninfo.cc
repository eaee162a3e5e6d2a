#include "pool/postgres/conninfo.h"

#include <libpq-fe.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <utility>

#include "pool/postgres/resolve.h"

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

// By commas, empty parts kept; at least one part.
std::vector<std::string> Split(const std::string& list) {
  std::vector<std::string> parts(1);
  for (const char c : list) {
    if (c == ',') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

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

std::string Conninfo::Get(const std::string& keyword) const {
  const auto found = parameters_.find(keyword);
  return found == parameters_.end() ? std::string() : found->second;
}

std::vector<Conninfo> Conninfo::EachHost() const {
  const std::vector<std::string> hosts = Split(Get("host"));
  const std::vector<std::string> addresses = Split(Get("hostaddr"));
  const std::vector<std::string> ports = Split(Get("port"));
  const std::size_t count = std::max(hosts.size(), addresses.size());
  const auto fits = [count](const std::vector<std::string>& list) {
    return list.size() == count || list.size() == 1;
  };
  // Lists that do not fit are libpq's to complain of.
  const bool splits = count > 1 && fits(hosts) && fits(addresses) && fits(ports) &&
                      Get("target_session_attrs") != "prefer-standby";
  if (!splits) return {*this};
  std::vector<Conninfo> each(count, *this);
  for (std::size_t i = 0; i < count; ++i) {
    each[i].Set("host", hosts[hosts.size() == count ? i : 0]);
    each[i].Set("hostaddr", addresses[addresses.size() == count ? i : 0]);
    each[i].Set("port", ports[ports.size() == count ? i : 0]);
  }
  return each;
}

void Conninfo::Set(const std::string& keyword, std::string value) {
  if (value.empty()) {
    parameters_.erase(keyword);
  } else {
    parameters_[keyword] = std::move(value);
  }
}

std::optional<std::string> Conninfo::host_name() const {
  std::string host = Get("host");
  if (!Get("hostaddr").empty() || host.find(',') != std::string::npos || !IsHostName(host)) {
    return std::nullopt;
  }
  return host;
}

Conninfo Conninfo::WithAddresses(const std::vector<std::string>& addresses) const {
  Conninfo info = *this;
  std::string hosts;
  std::string hostaddrs;
  for (const std::string& address : addresses) {
    hosts += hosts.empty() ? Get("host") : "," + Get("host");
    hostaddrs += hostaddrs.empty() ? address : "," + address;
  }
  info.parameters_["host"] = hosts;
  info.parameters_["hostaddr"] = hostaddrs;
  return info;
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
