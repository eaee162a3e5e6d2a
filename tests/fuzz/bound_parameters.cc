// A parameter that is bound says exactly its value; only text that PostgreSQL could not store is
// refused, and names its place.
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>

#include "pool/errors.h"
#include "pool/postgres/values.h"
#include "pool/utf8.h"
#include "tests/fuzz/reader.h"
#include "tests/fuzz/target.h"
#include "tests/fuzz/targets.h"

namespace emsdb::fuzz {
namespace {

template <typename T>
T Parsed(std::string_view text) {
  T number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  Require(error == std::errc() && end == text.data() + text.size(), "a number is one");
  return number;
}

// Each looks at what was bound for a value of its kind.
struct Check {
  const emsdb::BoundParameters& bound;
  std::size_t index;

  std::string_view text() const { return bound.values()[index]; }
  void operator()(Null) const { Require(bound.values()[index] == nullptr, "NULL has no text"); }
  void operator()(bool value) const { Require(text() == (value ? "true" : "false"), "bool"); }
  void operator()(std::int64_t value) const {
    Require(Parsed<std::int64_t>(text()) == value, "an integer is bound with all its digits");
  }
  void operator()(double value) const {
    if (std::isnan(value)) return Require(text() == "NaN", "NaN is bound as such");
    const double parsed = Parsed<double>(text());
    Require(std::bit_cast<std::uint64_t>(parsed) == std::bit_cast<std::uint64_t>(value),
            "a double is bound exactly");
  }
  void operator()(const std::string& value) const {
    Require(text() == value, "a text is bound as it is");
  }
  void operator()(const Bytes& value) const {
    const std::string_view data(bound.values()[index],
                                static_cast<std::size_t>(bound.lengths()[index]));
    Require(bound.formats()[index] == 1 && data == value.data, "bytes are bound as they are");
  }
};

bool Fits(const Value& value) {
  const auto* text = std::get_if<std::string>(&value);
  return text == nullptr || (IsUtf8(*text) && text->find('\0') == std::string::npos);
}

}  // namespace

void BoundParameters(std::string_view input) {
  Reader reader(input);
  Statement statement;
  bool fits = true;
  while (!reader.empty()) {
    statement.parameters.push_back(reader.Value());
    fits = fits && Fits(statement.parameters.back());
  }
  const auto bound = emsdb::BoundParameters::Bind(statement);
  Require(bound.ok() == fits, "exactly what PostgreSQL could not store is refused");
  if (!bound.ok()) {
    Require(DetailOf(bound.status()).field.starts_with("statement.parameters["), "with its place");
    return;
  }
  for (std::size_t i = 0; i < statement.parameters.size(); ++i) {
    std::visit(Check{*bound, i}, statement.parameters[i]);
  }
}

}  // namespace emsdb::fuzz
