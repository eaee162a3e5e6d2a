// A URL that is accepted names the servers that libpq would go to; whatever it is, nothing that is
// shown has the password in it.
#include "server/database_url.h"

#include <libpq-fe.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "pool/postgres/conninfo.h"
#include "server/postgres_uri.h"
#include "tests/fuzz/target.h"
#include "tests/fuzz/targets.h"

namespace emsdb::fuzz {
namespace {

constexpr char kPassword[] = "Pw0rd9Xw2";

using Parameters = std::map<std::string, std::string>;

Parameters AsLibpqReads(const std::string& uri) {
  const std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)> options(
      PQconninfoParse(uri.c_str(), nullptr), PQconninfoFree);
  Require(options != nullptr, "what is accepted, libpq accepts");
  Parameters parameters;
  for (const PQconninfoOption* each = options.get(); each->keyword != nullptr; ++each) {
    if (each->val != nullptr) parameters[each->keyword] = each->val;
  }
  return parameters;
}

// The servers in our words, from libpq's lists: of names or addresses, and of ports. Empty if there
// is not one port for all or for each.
std::string ServersOf(const Parameters& parameters, const char* list) {
  const auto get = [&](const char* name) {
    const auto found = parameters.find(name);
    return found == parameters.end() ? std::string() : found->second;
  };
  const std::vector<std::string> hosts = absl::StrSplit(get(list), ',');
  const std::vector<std::string> ports = absl::StrSplit(get("port"), ',');
  if (ports.size() != 1 && ports.size() != hosts.size()) return "";
  std::string servers;
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    const std::string& port = ports[ports.size() == 1 ? 0 : i];
    servers += (i == 0 ? "" : ",") + ShownServer({.name = hosts[i], .port = port});
  }
  return servers;
}

void CheckAgainstLibpq(const emsdb::DatabaseUrl& url) {
  const Parameters parameters = AsLibpqReads(url.connection);
  Require(url.server == ServersOf(parameters, "host") ||
              url.server == ServersOf(parameters, "hostaddr"),
          "the servers shown are those that libpq goes to");
  const auto database = parameters.find("dbname");
  const std::string name = database == parameters.end() ? "" : database->second;
  Require(url.location.ends_with("/" + name), "the database shown is the one that libpq opens");
  const auto info = Conninfo::Parse(url.connection);
  Require(info.ok() && !info->EachHost().empty(), "the driver accepts it");
  const auto password = parameters.find("password");
  if (password == parameters.end() || password->second.size() < 4) return;
  Require(info->Redact("<" + password->second + ">") == "<***>", "the password is redacted");
}

void Check(const std::string& url) {
  const auto parsed = ParseDatabaseUrl(url, "/var/lib/emsdb");
  if (const auto* complaint = std::get_if<UrlComplaint>(&parsed)) {
    Require(complaint->text.find(kPassword) == std::string::npos, "no complaint shows a password");
    return;
  }
  const auto& accepted = std::get<emsdb::DatabaseUrl>(parsed);
  if (accepted.engine == Engine::kPostgresql) CheckAgainstLibpq(accepted);
}

// In a URL with a password, a mistake behind it included.
void CheckSecret(const std::string& tail) {
  if (tail.find(kPassword) != std::string::npos) return;
  const std::string url = std::string("postgresql://ems:") + kPassword + tail;
  const auto parsed = ParseDatabaseUrl(url, "/var/lib/emsdb");
  if (const auto* accepted = std::get_if<emsdb::DatabaseUrl>(&parsed)) {
    Require(accepted->location.find(kPassword) == std::string::npos, "no location shows it");
    Require(accepted->server.find(kPassword) == std::string::npos, "no server shows it");
  }
  Check(url);
}

}  // namespace

void DatabaseUrl(std::string_view input) {
  const std::string text(input.substr(0, input.find('\0')));
  Check(text);
  Check("postgresql://" + text);
  CheckSecret(text);
}

}  // namespace emsdb::fuzz
