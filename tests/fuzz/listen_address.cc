// What is accepted as an address, written again from its parts, is the same address.
#include "server/listen_address.h"

#include <string>

#include "tests/fuzz/target.h"
#include "tests/fuzz/targets.h"

namespace emsdb::fuzz {

void ListenAddress(std::string_view input) {
  // As in the environment, whose texts have no U+0000.
  const auto parsed = ParseListenAddress(std::string(input.substr(0, input.find('\0'))));
  if (!parsed) return;
  Require(!parsed->host.empty(), "an address has a host");
  Require(parsed->port >= 0 && parsed->port <= 65535, "a port is one");
  const bool bracketed = parsed->host.find(':') != std::string::npos;
  const std::string host = bracketed ? "[" + parsed->host + "]" : parsed->host;
  const auto again = ParseListenAddress(
      parsed->is_unix ? "unix:" + parsed->host : host + ":" + std::to_string(parsed->port));
  Require(again.has_value(), "an address written from its parts is one");
  Require(again->host == parsed->host && again->port == parsed->port &&
              again->reach == parsed->reach && again->is_unix == parsed->is_unix,
          "an address written from its parts is the same");
}

}  // namespace emsdb::fuzz
