#include "pool/postgres/connect_failure.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include "absl/strings/str_format.h"
#include "pool/errors.h"
#include "pool/postgres/sqlstate.h"
#include "pool/utf8.h"

namespace emsdb {
namespace {

using Words = std::pair<std::string_view, std::string_view>;

// By the SQLSTATE's beginning; the first that fits.
constexpr std::array kRefusals = std::to_array<Words>({
    {"28P01", "the server refused the gateway's password"},
    {"28", "the server refused the gateway's login"},
    {"3D000", "the server has no such database"},
    {"42501", "the gateway's login may not use the database"},
    {"53300", "the server takes no more connections"},
    {"53", "the server is short of something"},
    {"57P03", "the server is starting up, stopping or recovering"},
    {"57P", "the server is stopping"},
});

// By a part of libpq's own message; the first that fits.
constexpr std::array kTroubles = std::to_array<Words>({
    {"SSL", "no TLS with the server"},
    {"certificate", "no TLS with the server"},
    {"no password supplied", "the server wants a password, and there is none"},
    {"authentication", "the server refused the gateway's login"},
    {"session is read-only", "the server takes no writes"},
    {"session is not read-only", "the server takes writes"},
    {"server is in hot standby mode", "the server is a standby"},
    {"server is not in hot standby mode", "the server is no standby"},
    {"server closed the connection", "the server closed the connection"},
});

constexpr std::array kErrnos = {ECONNREFUSED, ECONNRESET,    ENOENT,      EACCES,
                                ETIMEDOUT,    EHOSTUNREACH,  ENETUNREACH, EPIPE,
                                ECONNABORTED, EADDRNOTAVAIL, EMFILE,      ENFILE};

bool IsSqlstate(std::string_view text) {
  return text.size() == 5 && std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return std::isdigit(c) != 0 || std::isupper(c) != 0;
         });
}

// libpq keeps no SQLSTATE of a failed connect, but in verbose messages there is one: "...FATAL:
// 28P01: password authentication failed". Takes it out of the message.
std::string TakeSqlstate(std::string& message) {
  for (std::size_t at = message.find(":  "); at != std::string::npos;
       at = message.find(":  ", at + 3)) {
    std::string code = message.substr(at + 3, 5);
    if (!IsSqlstate(code) || message.compare(at + 8, 2, ": ") != 0) continue;
    message.erase(at + 2, 8);
    return code;
  }
  return {};
}

// The first lines, without where in the server's source it was raised.
void DropTheRest(std::string& message) {
  message.resize(std::min(message.find("\nLOCATION:"), message.size()));
  message.resize(std::min(message.find("\nDETAIL:"), message.size()));
  while (!message.empty() && message.back() == '\n') message.pop_back();
}

std::string WordsOfRefusal(std::string_view sqlstate) {
  for (const auto& [prefix, words] : kRefusals) {
    if (sqlstate.starts_with(prefix)) return std::string(words);
  }
  return "the server refused the connection";
}

std::string WordsOfTrouble(std::string_view message) {
  // What was tried stands before it, and may have any name in it.
  constexpr std::string_view kFailed = " failed: ";
  const std::size_t failed = message.rfind(kFailed);
  if (failed != std::string_view::npos) message.remove_prefix(failed + kFailed.size());
  for (const int number : kErrnos) {
    const std::string words = std::generic_category().message(number);
    if (message.starts_with(words)) return absl::StrFormat("no connection: %s", words);
  }
  for (const auto& [part, words] : kTroubles) {
    if (message.find(part) != std::string_view::npos) return std::string(words);
  }
  return "no connection could be made";
}

}  // namespace

absl::Status ConnectFailed(std::string said) {
  const std::string sqlstate = TakeSqlstate(said);
  DropTheRest(said);
  if (!sqlstate.empty()) return ConnectRefused(sqlstate, said);
  return ConnectionUnavailable(WordsOfTrouble(said), Stage::kConnecting, MakeUtf8(said));
}

absl::Status ConnectRefused(std::string_view sqlstate, std::string_view said) {
  const absl::Status status =
      ConnectionUnavailable(WordsOfRefusal(sqlstate), Stage::kConnecting, MakeUtf8(said));
  ErrorDetail detail = DetailOf(status);
  const SqlstateMeaning meaning = ConnectMeaningOf(sqlstate);
  detail.sqlstate = sqlstate;
  detail.retry = meaning.retry;
  return WithDetail(absl::Status(meaning.code, status.message()), detail);
}

absl::Status HostNotResolved(std::string_view host, std::string_view why) {
  return ConnectionUnavailable(absl::StrFormat("the server's host name: %s", why),
                               Stage::kConnecting,
                               absl::StrFormat("host name \"%s\": %s", host, why));
}

}  // namespace emsdb
