#include "server/token_digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <stdexcept>

namespace emsdb {
namespace {

// Looked up once: the look-up costs more than the sum of a short text.
const EVP_MD* Sha256() {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return algorithm;
}

int DigitValue(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

}  // namespace

TokenDigest TokenDigest::Of(std::string_view token) {
  TokenDigest digest;
  // A digest that was not computed must not be taken for one: two of them would be equal.
  if (EVP_Digest(token.data(), token.size(), digest.bytes_.data(), nullptr, Sha256(), nullptr) !=
      1) {
    throw std::runtime_error("OpenSSL has no SHA-256");
  }
  return digest;
}

std::optional<TokenDigest> TokenDigest::FromHex(std::string_view digits) {
  if (digits.size() != 2 * kBytes) return std::nullopt;
  TokenDigest digest;
  for (std::size_t i = 0; i < kBytes; ++i) {
    const int high = DigitValue(digits[2 * i]);
    const int low = DigitValue(digits[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    digest.bytes_[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return digest;
}

bool TokenDigest::Equals(const TokenDigest& other) const {
  return CRYPTO_memcmp(bytes_.data(), other.bytes_.data(), kBytes) == 0;
}

}  // namespace emsdb
