// What the gateway keeps of a bearer token: its SHA-256, from which nobody gets the token back.
#ifndef EMSDB_SERVER_TOKEN_DIGEST_H_
#define EMSDB_SERVER_TOKEN_DIGEST_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace emsdb {

class TokenDigest {
 public:
  static TokenDigest Of(std::string_view token);

  // From 64 hexadecimal digits, as `sha256sum` prints them; nothing for any other text.
  static std::optional<TokenDigest> FromHex(std::string_view digits);

  // Takes the same time wherever the two differ: the time of an answer tells no attacker how much
  // of a guess was right.
  bool Equals(const TokenDigest& other) const;

 private:
  static constexpr std::size_t kBytes = 32;
  std::array<std::uint8_t, kBytes> bytes_{};
};

}  // namespace emsdb

#endif  // EMSDB_SERVER_TOKEN_DIGEST_H_
