#include "server/postgres_uri.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "pool/settings.h"
#include "server/database_url.h"

namespace emsdb {
namespace {

// The parameters that libpq 15 knows in a URI.
const std::vector<std::string>& KnownParameters() {
  static const auto& known = *new std::vector<std::string>{"application_name",
                                                           "channel_binding",
                                                           "client_encoding",
                                                           "connect_timeout",
                                                           "dbname",
                                                           "fallback_application_name",
                                                           "gssencmode",
                                                           "gsslib",
                                                           "host",
                                                           "hostaddr",
                                                           "keepalives",
                                                           "keepalives_count",
                                                           "keepalives_idle",
                                                           "keepalives_interval",
                                                           "krbsrvname",
                                                           "options",
                                                           "passfile",
                                                           "password",
                                                           "port",
                                                           "requirepeer",
                                                           "service",
                                                           "ssl",
                                                           "ssl_max_protocol_version",
                                                           "ssl_min_protocol_version",
                                                           "sslcert",
                                                           "sslcompression",
                                                           "sslcrl",
                                                           "sslcrldir",
                                                           "sslkey",
                                                           "sslmode",
                                                           "sslpassword",
                                                           "sslrootcert",
                                                           "sslsni",
                                                           "target_session_attrs",
                                                           "tcp_user_timeout",
                                                           "user"};
  return known;
}

std::optional<std::string> PercentDecoded(const std::string& text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    if (i + 2 >= text.size() || !absl::ascii_isxdigit(text[i + 1]) ||
        !absl::ascii_isxdigit(text[i + 2])) {
      return std::nullopt;
    }
    const auto byte = static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16));
    if (byte == '\0') return std::nullopt;
    decoded += byte;
    i += 2;
  }
  return decoded;
}

// What may be shown to an operator: no control characters, and none of the marks that would be
// there if a password had slipped in.
bool FitToShow(const std::string& name) {
  return std::none_of(name.begin(), name.end(),
                      [](unsigned char c) { return c < ' ' || c == 0x7f || c == '@'; });
}

bool IsPort(const std::string& port) {
  return port.size() <= 5 && std::all_of(port.begin(), port.end(), absl::ascii_isdigit) &&
         (port.empty() || (std::stoi(port) >= 1 && std::stoi(port) <= 65535));
}

// The reading of one URI; each step answers the complaint, if there is one.
class UriReader {
 public:
  explicit UriReader(const std::string& rest) : rest_(rest) {}

  std::variant<PostgresUri, UrlComplaint> Read() {
    const std::string user = TakeUserInfo();
    if (user.empty() && rest_.find('@') != std::string::npos) return UrlComplaint{kHostRule};
    if (!PercentDecoded(user)) return UrlComplaint{kUserRule};
    const std::size_t path = std::min(rest_.find_first_of("/?"), rest_.size());
    const std::size_t query = std::min(rest_.find('?'), rest_.size());
    std::string complaint = Hosts(rest_.substr(0, path));
    if (complaint.empty()) complaint = Database(rest_.substr(path, query - path));
    if (complaint.empty() && query < rest_.size()) complaint = Parameters(rest_.substr(query + 1));
    if (complaint.empty()) complaint = ParameterHosts();
    if (!complaint.empty()) return UrlComplaint{std::move(complaint)};
    return std::move(uri_);
  }

 private:
  // As libpq does it: everything up to the first @ that no / precedes. Secret.
  std::string TakeUserInfo() {
    const std::size_t mark = rest_.find_first_of("@/");
    if (mark == std::string::npos || rest_[mark] == '/') return "";
    std::string user = rest_.substr(0, mark + 1);
    rest_.erase(0, mark + 1);
    return user;
  }

  std::string Hosts(const std::string& text) {
    const std::vector<std::string> parts = absl::StrSplit(text, ',');
    for (const std::string& part : parts) {
      std::string complaint = Host(part);
      if (!complaint.empty()) return complaint;
    }
    return "";
  }

  std::string Host(const std::string& part) {
    const bool bracketed = !part.empty() && part.front() == '[';
    const std::size_t close = bracketed ? part.find(']') : 0;
    if (close == std::string::npos) return "has an IPv6 address without its closing bracket";
    const std::size_t colon = part.find(':', close);
    const std::size_t end = std::min(colon, part.size());
    if (bracketed && end != close + 1) return "has something between ] and the port";
    if (bracketed && close == 1) return "has an IPv6 address without an address";
    const std::optional<std::string> name =
        PercentDecoded(bracketed ? part.substr(1, close - 1) : part.substr(0, end));
    const std::string port = colon == std::string::npos ? "" : part.substr(colon + 1);
    // libpq keeps the hosts as one list, which an escaped comma would part.
    if (!name || !FitToShow(*name) || name->find(',') != std::string::npos) return kHostRule;
    if (!IsPort(port)) return kPortRule;
    uri_.hosts.push_back({*name, port});
    return "";
  }

  // `path` is empty or begins with its slash.
  std::string Database(const std::string& path) {
    if (path.size() < 2) return "";
    const std::string raw = path.substr(1);
    const std::optional<std::string> name = PercentDecoded(raw);
    const bool plain = raw.find_first_of("/@:#") == std::string::npos;
    if (!plain || !name || !FitToShow(*name)) return kDatabaseRule;
    uri_.database = *name;
    return "";
  }

  std::string Parameters(const std::string& query) {
    std::size_t place = 0;
    const std::vector<std::string> parts = absl::StrSplit(query, '&');
    for (const std::string& part : parts) {
      std::string complaint = Parameter(++place, part);
      if (!complaint.empty()) return complaint;
    }
    return "";
  }

  std::string Parameter(std::size_t place, const std::string& part) {
    const std::size_t equals = part.find('=');
    if (equals == std::string::npos) {
      return absl::StrFormat("has no = in parameter %d behind the ?", place);
    }
    const std::string name = part.substr(0, equals);
    const std::vector<std::string>& known = KnownParameters();
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      return UnknownParameter(place, name);
    }
    // A word of JDBC's, of which libpq knows this one use.
    if (name == "ssl" && part != "ssl=true") {
      return "has a parameter ssl that is not ssl=true: write sslmode=disable and the like";
    }
    const std::optional<std::string> value = PercentDecoded(part.substr(equals + 1));
    if (!value || part.find('=', equals + 1) != std::string::npos) {
      return absl::StrFormat(
          "has a bad escape or a second = in parameter %s: write = as %%3D and %% as %%25", name);
    }
    parameters_[name] = *value;
    return "";
  }

  static std::string UnknownParameter(std::size_t place, const std::string& name) {
    const std::string nearest = Nearest(name, KnownParameters());
    return absl::StrFormat("has a parameter that libpq does not know, number %d behind the ?%s",
                           place, nearest.empty() ? "" : "; is it " + nearest + "?");
  }

  // host, hostaddr, port and dbname as parameters replace what stands before the ?.
  std::string ParameterHosts() {
    const auto address = parameters_.find(parameters_.contains("host") ? "host" : "hostaddr");
    std::vector<std::string> ports;
    for (const PostgresHost& host : uri_.hosts) ports.push_back(host.port);
    if (address != parameters_.end()) {
      uri_.hosts.clear();
      const std::vector<std::string> parts = absl::StrSplit(address->second, ',');
      for (const std::string& name : parts) {
        if (!FitToShow(name)) return kHostRule;
        uri_.hosts.push_back({name, ""});
      }
    }
    if (const auto database = parameters_.find("dbname"); database != parameters_.end()) {
      if (!IsPlainName(database->second)) return kDatabaseRule;
      uri_.database = database->second;
    }
    if (const auto port = parameters_.find("port"); port != parameters_.end()) {
      ports = absl::StrSplit(port->second, ',');
    }
    return Ports(ports);
  }

  // A dbname parameter may itself be a conninfo string with a password, which libpq expands.
  static bool IsPlainName(const std::string& name) {
    return FitToShow(name) && name.find('=') == std::string::npos &&
           name.find("://") == std::string::npos;
  }

  // One port for all hosts, or one for each. Those before the ? stay with hosts behind it.
  std::string Ports(const std::vector<std::string>& ports) {
    if (ports.size() != 1 && ports.size() != uri_.hosts.size()) {
      return "has not as many ports as hosts";
    }
    if (!std::all_of(ports.begin(), ports.end(), IsPort)) return kPortRule;
    for (std::size_t i = 0; i < uri_.hosts.size(); ++i) {
      uri_.hosts[i].port = ports.size() == 1 ? ports.front() : ports[i];
    }
    return "";
  }

  static constexpr char kHostRule[] =
      "has a host that cannot be one: in user and password, @ is written %40, / is %2F, : is %3A";
  static constexpr char kUserRule[] =
      "has a bad escape in user or password: % is written %25 there";
  static constexpr char kPortRule[] =
      "has a port that is not a number from 1 to 65535: in user and password, @ is written %40, "
      "/ is %2F, : is %3A";
  static constexpr char kDatabaseRule[] =
      "has a database name that cannot be one: in user and password, @ is written %40, / is %2F, "
      ": is %3A";

  std::string rest_;
  PostgresUri uri_;
  std::map<std::string, std::string> parameters_;
};

}  // namespace

std::variant<PostgresUri, UrlComplaint> ParsePostgresUri(const std::string& rest) {
  return UriReader(rest).Read();
}

std::string ShownServer(const PostgresHost& host) {
  const std::string port = host.port.empty() ? "5432" : host.port;
  if (host.name.empty()) return "local socket:" + port;
  const bool is_ipv6 = host.name.find(':') != std::string::npos;
  return (is_ipv6 ? "[" + host.name + "]" : host.name) + ":" + port;
}

}  // namespace emsdb
