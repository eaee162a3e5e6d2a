// A tokens file for one test, and clients that show its tokens.
#ifndef EMSDB_TESTS_END_TO_END_KNOWN_CALLERS_H_
#define EMSDB_TESTS_END_TO_END_KNOWN_CALLERS_H_

#include <fstream>
#include <string>

#include "client/client.h"
#include "tests/support/gateway_process.h"

namespace emsdb {

inline constexpr char kCadToken[] = "token-of-the-cad-module";
inline constexpr char kReportsToken[] = "token-of-the-reports";
inline constexpr char kFireToken[] = "token-of-the-fire-module";
inline constexpr char kOperatorToken[] = "token-of-an-operator";

// cad: everything but to operate. reports: reads only, and waits for the others. fire: one
// database. operator: everything; its token is there as a hash only.
inline constexpr char kKnownCallers[] = R"({"callers": [
  {"caller": "cad", "tokens": ["token-of-the-cad-module"], "databases": "*",
   "highest_priority": "dispatch"},
  {"caller": "reports", "tokens": ["token-of-the-reports"], "databases": "*",
   "highest_priority": "reporting", "read_only": true},
  {"caller": "fire", "tokens": ["token-of-the-fire-module"], "databases": ["fire"]},
  {"caller": "operator", "databases": "*", "operate": true, "tokens":
   ["sha256:973a0627822f48da2f9f43017af32e3beb37518ff54fafe6a9606edabf298400"]}]})";

class TokensFileOnDisk {
 public:
  explicit TokensFileOnDisk(const std::string& content = kKnownCallers) { Write(content); }

  void Write(const std::string& content) const { std::ofstream(path()) << content; }
  std::string path() const { return directory_.File("tokens.json"); }

  Environment With(Environment settings = {}) const {
    settings["EMSDB_TOKENS_FILE"] = path();
    return settings;
  }

 private:
  TemporaryDirectory directory_;
};

inline client::Client ConnectAs(const GatewayProcess& gateway, const std::string& token) {
  return *client::Client::Connect(
      {.address = gateway.address(), .token = token, .retry = {.max_attempts = 1}});
}

}  // namespace emsdb

#endif  // EMSDB_TESTS_END_TO_END_KNOWN_CALLERS_H_
