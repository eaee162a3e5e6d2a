#include "pool/postgres/values.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "absl/strings/str_format.h"
#include "pool/errors.h"
#include "pool/postgres/type_table.h"
#include "pool/utf8.h"

namespace emsdb {
namespace {

constexpr std::size_t kMostParameters = 65535;  // the protocol counts them in 16 bits
constexpr std::size_t kLargestParameter = std::size_t{1} << 30;  // PostgreSQL's own limit, 1 GiB

absl::Status BadParameter(std::size_t index, std::string_view problem) {
  return InvalidField(absl::StrFormat("statement.parameters[%d]", index), problem);
}

absl::Status CheckText(std::size_t index, std::string_view text) {
  if (text.size() > kLargestParameter) return BadParameter(index, "a text of more than 1 GiB");
  if (text.find('\0') != std::string_view::npos) {
    return BadParameter(index, "a text with U+0000, which PostgreSQL cannot store; send bytes");
  }
  if (!IsUtf8(text)) return BadParameter(index, "a text that is not valid UTF-8; send bytes");
  return absl::OkStatus();
}

absl::StatusOr<Oid> NamedType(const Statement& statement, std::size_t index) {
  if (statement.parameter_types.empty() || statement.parameter_types[index].empty()) return Oid{0};
  const Oid oid = BuiltinTypeOid(statement.parameter_types[index]);
  if (oid != 0) return oid;
  return InvalidField(absl::StrFormat("statement.parameter_types[%d]", index),
                      "not a built-in type of PostgreSQL (\"int8\", \"text\", \"numeric\", "
                      "\"jsonb\", \"_int4\" for an array, ...); for any other type leave it empty "
                      "and write a cast in the statement, as in $1::my_type");
}

absl::Status CheckCounts(const Statement& statement) {
  if (statement.parameters.size() > kMostParameters) {
    return InvalidField("statement.parameters",
                        absl::StrFormat("%d parameters, PostgreSQL takes at most %d",
                                        statement.parameters.size(), kMostParameters));
  }
  if (!statement.parameter_types.empty() &&
      statement.parameter_types.size() != statement.parameters.size()) {
    return InvalidField(
        "statement.parameter_types",
        absl::StrFormat("%d types for %d parameters; give none, or one for each",
                        statement.parameter_types.size(), statement.parameters.size()));
  }
  return absl::OkStatus();
}

template <typename Number>
absl::StatusOr<Cell> ParseNumber(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size()) return Cell(number);
  return absl::InternalError("the server sent a number that is none");
}

absl::StatusOr<Cell> ParseBool(std::string_view text) {
  if (text == "t" || text == "f") return Cell(text == "t");
  return absl::InternalError("the server sent a bool that is none");
}

// The digit's value; 255 if it is none.
constexpr std::array<std::uint8_t, 256> kHexDigits = [] {
  std::array<std::uint8_t, 256> digits{};
  digits.fill(255);
  for (std::uint8_t i = 0; i < 10; ++i) digits['0' + i] = i;
  for (std::uint8_t i = 0; i < 6; ++i) digits['a' + i] = digits['A' + i] = 10 + i;
  return digits;
}();

}  // namespace

BoundParameters::BoundParameters(std::size_t count)
    : types_(count), values_(count), lengths_(count), formats_(count) {}

BoundParameters::NumberText& BoundParameters::RoomFor(std::size_t index) {
  if (numbers_.empty()) numbers_.resize(values_.size());
  return numbers_[index];
}

void BoundParameters::SetNumber(std::size_t index, std::int64_t value) {
  NumberText& text = RoomFor(index);
  *std::to_chars(text.data(), text.data() + text.size() - 1, value).ptr = '\0';
  values_[index] = text.data();
}

void BoundParameters::SetNumber(std::size_t index, double value) {
  if (std::isnan(value)) {
    values_[index] = "NaN";
  } else if (std::isinf(value)) {
    values_[index] = value > 0 ? "Infinity" : "-Infinity";
  } else {
    NumberText& text = RoomFor(index);
    *std::to_chars(text.data(), text.data() + text.size() - 1, value).ptr = '\0';
    values_[index] = text.data();
  }
}

absl::StatusOr<BoundParameters> BoundParameters::Bind(const Statement& statement) {
  if (const absl::Status counts = CheckCounts(statement); !counts.ok()) return counts;
  BoundParameters bound(statement.parameters.size());
  for (std::size_t i = 0; i < statement.parameters.size(); ++i) {
    const Value& value = statement.parameters[i];
    auto type = NamedType(statement, i);
    if (!type.ok()) return type.status();
    bound.types_[i] = *type;
    if (const bool* truth = std::get_if<bool>(&value)) {
      // In full, so that it is right for json as well, and for text what a cast would give.
      bound.values_[i] = *truth ? "true" : "false";
    } else if (const std::int64_t* integer = std::get_if<std::int64_t>(&value)) {
      bound.SetNumber(i, *integer);
    } else if (const double* real = std::get_if<double>(&value)) {
      bound.SetNumber(i, *real);
    } else if (const std::string* text = std::get_if<std::string>(&value)) {
      if (const absl::Status fit = CheckText(i, *text); !fit.ok()) return fit;
      bound.values_[i] = text->c_str();
    } else if (const Bytes* bytes = std::get_if<Bytes>(&value)) {
      if (bytes->data.size() > kLargestParameter)
        return BadParameter(i, "bytes of more than 1 GiB");
      if (bound.types_[i] == 0) bound.types_[i] = kByteaOid;
      bound.values_[i] = bytes->data.data();
      bound.lengths_[i] = static_cast<int>(bytes->data.size());
      bound.formats_[i] = 1;
    }
  }
  return bound;
}

void RowDecoder::Start(const PGresult* result) {
  const auto columns = static_cast<std::size_t>(PQnfields(result));
  types_.resize(columns);
  cells_.resize(columns);
  for (std::size_t i = 0; i < columns; ++i) types_[i] = PQftype(result, static_cast<int>(i));
}

absl::StatusOr<std::span<const Cell>> RowDecoder::Decode(const PGresult* result, int row) {
  std::size_t encoded = 0;
  for (std::size_t i = 0; i < types_.size(); ++i) {
    if (types_[i] != kByteaOid) continue;
    encoded += static_cast<std::size_t>(PQgetlength(result, row, static_cast<int>(i)));
  }
  // Views into it must stay: it gets its room before the first cell is decoded.
  bytes_.clear();
  bytes_.reserve(encoded / 2);
  for (std::size_t i = 0; i < types_.size(); ++i) {
    const int column = static_cast<int>(i);
    if (PQgetisnull(result, row, column) != 0) {
      cells_[i] = Null{};
      continue;
    }
    const std::string_view text(PQgetvalue(result, row, column),
                                static_cast<std::size_t>(PQgetlength(result, row, column)));
    auto cell = DecodeCell(types_[i], text);
    if (!cell.ok()) return cell.status();
    cells_[i] = *cell;
  }
  return std::span<const Cell>(cells_);
}

absl::StatusOr<Cell> RowDecoder::DecodeCell(Oid type, std::string_view text) {
  switch (type) {
    case kBoolOid:
      return ParseBool(text);
    case kInt2Oid:
    case kInt4Oid:
    case kInt8Oid:
    case kOidOid:
      return ParseNumber<std::int64_t>(text);
    case kFloat4Oid:
    case kFloat8Oid:
      return ParseNumber<double>(text);
    case kByteaOid:
      if (!text.starts_with("\\x")) {
        // A caller set bytea_output to escape in its session.
        return absl::FailedPreconditionError("bytea_output must be hex");
      }
      return DecodeBytes(text.substr(2));
    default:
      return Cell(text);
  }
}

absl::StatusOr<Cell> RowDecoder::DecodeBytes(std::string_view hex) {
  const std::size_t start = bytes_.size();
  unsigned seen = hex.size() % 2 == 0 ? 0U : 255U;  // above 15 as soon as one is no digit
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    const unsigned high = kHexDigits[static_cast<unsigned char>(hex[i])];
    const unsigned low = kHexDigits[static_cast<unsigned char>(hex[i + 1])];
    seen |= high | low;
    bytes_ += static_cast<char>(high << 4 | low);
  }
  if (seen > 15) return absl::InternalError("the server sent bytea that is none");
  return Cell(BytesView{std::string_view(bytes_).substr(start)});
}

}  // namespace emsdb
