#include "server/listen_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>

#include "absl/strings/ascii.h"

namespace emsdb {
namespace {

constexpr char kUnix[] = "unix:";

std::optional<int> Port(const std::string& text) {
  int port = -1;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, port);
  if (error != std::errc() || stop != end || port < 0 || port > 65535) return std::nullopt;
  return port;
}

bool IsName(const std::string& host) {
  return !host.empty() && std::all_of(host.begin(), host.end(), [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '.' || c == '-' || c == '_';
  });
}

Reach ReachOfName(const std::string& host) {
  in_addr address{};
  if (inet_pton(AF_INET, host.c_str(), &address) == 1) {
    const bool loopback = ntohl(address.s_addr) >> 24 == 127;
    return loopback ? Reach::kThisMachine : Reach::kBeyond;
  }
  return host == "localhost" ? Reach::kThisMachine : Reach::kBeyond;
}

std::optional<ListenAddress> Bracketed(const std::string& text) {
  const std::size_t close = text.find("]:");
  if (close == std::string::npos) return std::nullopt;
  const std::string host = text.substr(1, close - 1);
  const std::optional<int> port = Port(text.substr(close + 2));
  in6_addr address{};
  if (!port || inet_pton(AF_INET6, host.c_str(), &address) != 1) return std::nullopt;
  const bool loopback = IN6_IS_ADDR_LOOPBACK(&address);
  return ListenAddress{host, *port, loopback ? Reach::kThisMachine : Reach::kBeyond};
}

}  // namespace

std::optional<ListenAddress> ParseListenAddress(const std::string& text) {
  if (text.starts_with(kUnix)) {
    const std::string path = text.substr(sizeof(kUnix) - 1);
    // What a socket address holds; a longer path would fail only when it is bound.
    if (path.empty() || path.size() > 107) return std::nullopt;
    return ListenAddress{path, 0, Reach::kThisMachine, true};
  }
  if (text.starts_with('[')) return Bracketed(text);
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos) return std::nullopt;
  const std::string host = text.substr(0, colon);
  const std::optional<int> port = Port(text.substr(colon + 1));
  if (!port || !IsName(host)) return std::nullopt;
  return ListenAddress{host, *port, ReachOfName(host)};
}

}  // namespace emsdb
