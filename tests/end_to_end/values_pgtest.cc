// Random values, there and back through the gateway: what was sent is what comes back, to the bit.
// A failure names the seed; EMSDB_TEST_SEED runs the same values again.

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_format.h"
#include "client/client.h"
#include "tests/end_to_end/postgres_fixture.h"
#include "tests/support/gateway_process.h"

namespace emsdb {
namespace {

using client::Bytes;
using client::Client;
using client::Row;
using client::Value;
using nlohmann::json;

constexpr int kStatements = 20;
constexpr int kValues = 50;  // of each

class Chance {
 public:
  explicit Chance(std::uint64_t seed) : engine_(seed) {}

  std::uint64_t Bits() { return engine_(); }
  // From 0 to `most`.
  std::int64_t UpTo(std::int64_t most) {
    return static_cast<std::int64_t>(engine_() % (static_cast<std::uint64_t>(most) + 1));
  }
  bool Once(int in) { return UpTo(in - 1) == 0; }

 private:
  std::mt19937_64 engine_;
};

void AppendUtf8(char32_t c, std::string& text) {
  const auto put = [&text](char32_t byte) { text += static_cast<char>(byte); };
  if (c < 0x80) return put(c);
  if (c < 0x800) {
    put(0xC0 | (c >> 6));
  } else {
    if (c < 0x10000) {
      put(0xE0 | (c >> 12));
    } else {
      put(0xF0 | (c >> 18));
      put(0x80 | ((c >> 12) & 0x3F));
    }
    put(0x80 | ((c >> 6) & 0x3F));
  }
  put(0x80 | (c & 0x3F));
}

// Any character of Unicode but U+0000; the troublesome ones often.
char32_t RandomCharacter(Chance& chance) {
  constexpr std::u32string_view kTroublesome =
      U"\"'\\{},$;%:?\n\r\t \u007f\u0080\u07ff\u0800\u2028\ufeff\uffff\U00010000\U0010ffff";
  switch (chance.UpTo(3)) {
    case 0:
      return kTroublesome[static_cast<std::size_t>(
          chance.UpTo(static_cast<std::int64_t>(kTroublesome.size()) - 1))];
    case 1:
      return static_cast<char32_t>(1 + chance.UpTo(126));
    default:
      const auto c = static_cast<char32_t>(1 + chance.UpTo(0x10FFFE));
      return c >= 0xD800 && c <= 0xDFFF ? U'x' : c;
  }
}

std::string RandomText(Chance& chance) {
  std::string text;
  for (std::int64_t left = chance.UpTo(chance.Once(20) ? 2000 : 20); left > 0; --left) {
    AppendUtf8(RandomCharacter(chance), text);
  }
  return text;
}

// As PostgreSQL writes it: no needless zeros in front, those behind the point kept.
std::string RandomNumeric(Chance& chance) {
  const std::int64_t longest = chance.Once(10) ? 3000 : 40;
  std::string whole;
  for (std::int64_t left = chance.UpTo(longest); left > 0; --left) {
    whole += static_cast<char>('0' + chance.UpTo(9));
  }
  whole.erase(0, std::min(whole.find_first_not_of('0'), whole.size()));
  if (whole.empty()) whole = "0";
  std::string fraction;
  for (std::int64_t left = chance.UpTo(longest); left > 0; --left) {
    fraction += static_cast<char>('0' + chance.UpTo(9));
  }
  const std::string number = fraction.empty() ? whole : whole + "." + fraction;
  const bool zero = number.find_first_not_of("0.") == std::string::npos;
  return !zero && chance.Once(2) ? "-" + number : number;
}

// From 4713 BC to 294276 AD, as PostgreSQL writes it in UTC.
std::string RandomTimestamp(Chance& chance) {
  const std::int64_t year = chance.Once(2) ? 1900 + chance.UpTo(200) : chance.UpTo(298987) - 4711;
  std::string text = absl::StrFormat("%04d-%02d-%02d %02d:%02d:%02d", year > 0 ? year : 1 - year,
                                     1 + chance.UpTo(11), 1 + chance.UpTo(27), chance.UpTo(23),
                                     chance.UpTo(59), chance.UpTo(59));
  if (chance.Once(2)) {
    text += absl::StrFormat(".%06d", 1 + chance.UpTo(999998));
    text.erase(text.find_last_not_of('0') + 1);
  }
  return text + (year > 0 ? "+00" : "+00 BC");
}

json RandomJson(Chance& chance, int depth) {
  switch (chance.UpTo(depth > 0 ? 6 : 4)) {
    case 0:
      return nullptr;
    case 1:
      return chance.Once(2);
    case 2:
      return static_cast<std::int64_t>(chance.Bits());
    case 3:
    case 4:
      return RandomText(chance);
    case 5: {
      json array = json::array();
      for (std::int64_t left = chance.UpTo(4); left > 0; --left) {
        array.push_back(RandomJson(chance, depth - 1));
      }
      return array;
    }
    default: {
      json object = json::object();
      for (std::int64_t left = chance.UpTo(4); left > 0; --left) {
        object[RandomText(chance)] = RandomJson(chance, depth - 1);
      }
      return object;
    }
  }
}

using TextArray = std::vector<std::optional<std::string>>;

// With every element in quotes, which PostgreSQL takes but does not write itself.
std::string Quoted(const TextArray& array) {
  std::string text = "{";
  for (const auto& element : array) {
    if (text.size() > 1) text += ',';
    if (!element) {
      text += "NULL";
      continue;
    }
    text += '"';
    for (const char c : *element) {
      if (c == '"' || c == '\\') text += '\\';
      text += c;
    }
    text += '"';
  }
  return text + "}";
}

// The reading of a one-dimensional array as a caller would do it.
TextArray Read(std::string_view text) {
  TextArray array;
  std::size_t i = 1;
  while (i + 1 < text.size()) {
    std::string element;
    const bool quoted = text[i] == '"';
    if (quoted) ++i;
    while (quoted ? text[i] != '"' : text[i] != ',' && text[i] != '}') {
      if (text[i] == '\\') ++i;
      element += text[i++];
    }
    if (quoted) ++i;
    ++i;  // the comma, or the end
    array.push_back(!quoted && element == "NULL" ? std::nullopt : std::optional(element));
  }
  return array;
}

TextArray RandomArray(Chance& chance) {
  TextArray array;
  for (std::int64_t left = chance.UpTo(6); left > 0; --left) {
    switch (chance.UpTo(5)) {
      case 0:
        array.emplace_back();
        break;
      case 1:
        array.emplace_back("NULL");
        break;
      case 2:
        array.emplace_back("");
        break;
      default:
        array.emplace_back(RandomText(chance));
    }
  }
  return array;
}

class RandomValues : public ::testing::Test {
 protected:
  RandomValues() : seed_(Seed()), chance_(seed_), gateway_({{"DATABASE_URL", TestPostgresUrl()}}) {}

  // Sends values of one type, many to a statement, and compares what comes back.
  void Compare(const std::string& type, const std::function<Value()>& make,
               const std::function<bool(const Value& sent, const Value& got)>& same) {
    const Client client = *Client::Connect({.address = gateway_.address()});
    std::string sql = "select $1::" + type;
    for (int i = 2; i <= kValues; ++i) sql += absl::StrFormat(", $%d::%s", i, type);
    for (int statement = 0; statement < kStatements; ++statement) {
      Row sent;
      for (int i = 0; i < kValues; ++i) sent.push_back(make());
      const auto got = client.Query("main", sql, sent);
      ASSERT_TRUE(got.ok()) << got.status() << ", seed " << seed_;
      ASSERT_EQ(got->rows.size(), 1U);
      for (std::size_t i = 0; i < kValues; ++i) {
        ASSERT_TRUE(same(sent[i], got->rows[0][i]))
            << type << " number " << statement * kValues + static_cast<int>(i)
            << " of EMSDB_TEST_SEED=" << seed_ << ": " << ::testing::PrintToString(sent[i].kind())
            << " came back as " << ::testing::PrintToString(got->rows[0][i].kind());
      }
    }
  }

  static bool Equal(const Value& sent, const Value& got) { return sent == got; }

  static std::uint64_t Seed() {
    const char* set = std::getenv("EMSDB_TEST_SEED");
    return set == nullptr ? std::random_device()() : std::strtoull(set, nullptr, 10);
  }

  const std::uint64_t seed_;
  Chance chance_;
  const GatewayProcess gateway_;
};

// T50
TEST_F(RandomValues, KeepInt8) {
  Compare(
      "int8", [&] { return Value(static_cast<std::int64_t>(chance_.Bits() >> chance_.UpTo(63))); },
      Equal);
}

// T52: also subnormal numbers, and the infinities. A NaN stays one, its payload is nobody's.
TEST_F(RandomValues, KeepFloat8ToTheBit) {
  Compare(
      "float8", [&] { return Value(std::bit_cast<double>(chance_.Bits())); },
      [](const Value& sent, const Value& got) {
        const double* back = got.get_if<double>();
        const double there = *sent.get_if<double>();
        if (back == nullptr || std::isnan(there)) return back != nullptr && std::isnan(*back);
        return std::bit_cast<std::uint64_t>(there) == std::bit_cast<std::uint64_t>(*back);
      });
}

// T51
TEST_F(RandomValues, KeepNumericToTheLastZero) {
  Compare(
      "numeric", [&] { return Value(RandomNumeric(chance_)); }, Equal);
}

// T49, T54
TEST_F(RandomValues, KeepText) {
  Compare(
      "text", [&] { return chance_.Once(20) ? Value() : Value(RandomText(chance_)); }, Equal);
}

// T54
TEST_F(RandomValues, KeepBytea) {
  Compare(
      "bytea",
      [&] {
        std::string data(static_cast<std::size_t>(chance_.UpTo(chance_.Once(20) ? 5000 : 50)), 0);
        for (char& c : data) c = static_cast<char>(chance_.Bits());
        return Value(Bytes{data});
      },
      Equal);
}

// T53
TEST_F(RandomValues, KeepTimestamptzToTheMicrosecond) {
  Compare(
      "timestamptz", [&] { return Value(RandomTimestamp(chance_)); }, Equal);
}

// T56: jsonb has an order of its own, and no duplicates were sent.
TEST_F(RandomValues, KeepJsonb) {
  Compare(
      "jsonb", [&] { return Value(RandomJson(chance_, 3).dump(-1, ' ', chance_.Once(2))); },
      [](const Value& sent, const Value& got) {
        const std::string* back = got.get_if<std::string>();
        return back != nullptr && json::parse(*sent.get_if<std::string>()) == json::parse(*back);
      });
}

// T55
TEST_F(RandomValues, KeepArraysOfText) {
  Compare(
      "text[]", [&] { return Value(Quoted(RandomArray(chance_))); },
      [](const Value& sent, const Value& got) {
        const std::string* back = got.get_if<std::string>();
        return back != nullptr && Read(*sent.get_if<std::string>()) == Read(*back);
      });
}

}  // namespace
}  // namespace emsdb
