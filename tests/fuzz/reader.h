// Takes an input apart into numbers and texts. An input that is used up gives zeros and empty
// texts, so that every input means something.
#ifndef EMSDB_TESTS_FUZZ_READER_H_
#define EMSDB_TESTS_FUZZ_READER_H_

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "pool/value.h"

namespace emsdb::fuzz {

class Reader {
 public:
  explicit Reader(std::string_view input) : rest_(input) {}

  bool empty() const { return rest_.empty(); }
  std::string_view Rest() { return Take(rest_.size()); }
  std::uint8_t Byte() { return Number<std::uint8_t>(); }

  template <typename T>
  T Number() {
    T number{};
    const std::string_view bytes = Take(sizeof number);
    std::memcpy(&number, bytes.data(), bytes.size());
    return number;
  }

  // Up to 255 bytes, as its first byte says.
  std::string_view Text() { return Take(Byte()); }

  // A value of any kind.
  emsdb::Value Value() {
    switch (Byte() % 6) {
      case 0:
        return Null{};
      case 1:
        return Byte() % 2 == 1;
      case 2:
        return Number<std::int64_t>();
      case 3:
        return Number<double>();
      case 4:
        return std::string(Text());
      default:
        return Bytes{std::string(Text())};
    }
  }

 private:
  std::string_view Take(std::size_t most) {
    const std::string_view taken = rest_.substr(0, most);
    rest_.remove_prefix(taken.size());
    return taken;
  }

  std::string_view rest_;
};

// The value as a driver would show it, for as long as it lives.
inline Cell CellOf(const Value& value) {
  return std::visit(
      [](const auto& held) -> Cell {
        using Held = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<Held, std::string>) {
          return std::string_view(held);
        } else if constexpr (std::is_same_v<Held, Bytes>) {
          return BytesView{held.data};
        } else {
          return held;
        }
      },
      value);
}

}  // namespace emsdb::fuzz

#endif  // EMSDB_TESTS_FUZZ_READER_H_
