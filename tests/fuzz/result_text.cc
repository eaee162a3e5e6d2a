// A cell that is decoded means exactly what the server's text said; text that means nothing is an
// error, never a value.
#include <libpq-fe.h>

#include <charconv>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "pool/postgres/type_table.h"
#include "pool/postgres/values.h"
#include "tests/fuzz/reader.h"
#include "tests/fuzz/target.h"
#include "tests/fuzz/targets.h"

namespace emsdb::fuzz {
namespace {

struct Column {
  Oid type;
  std::string_view text;
  bool null;
};

struct ResultDeleter {
  void operator()(PGresult* result) const { PQclear(result); }
};
using Result = std::unique_ptr<PGresult, ResultDeleter>;

Result ResultOf(const std::vector<Column>& columns) {
  Result result(PQmakeEmptyPGresult(nullptr, PGRES_TUPLES_OK));
  std::string name = "c";
  std::vector<PGresAttDesc> described;
  for (const Column& column : columns) {
    described.push_back({.name = name.data(),
                         .tableid = 0,
                         .columnid = 0,
                         .format = 0,
                         .typid = column.type,
                         .typlen = -1,
                         .atttypmod = -1});
  }
  PQsetResultAttrs(result.get(), static_cast<int>(columns.size()), described.data());
  for (std::size_t i = 0; i < columns.size(); ++i) {
    std::string text(columns[i].text);
    PQsetvalue(result.get(), 0, static_cast<int>(i), columns[i].null ? nullptr : text.data(),
               columns[i].null ? -1 : static_cast<int>(text.size()));
  }
  return result;
}

std::string Hex(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text = "\\x";
  for (const char c : bytes) {
    text += kDigits[static_cast<unsigned char>(c) >> 4];
    text += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return text;
}

struct Check {
  const Column& column;

  void operator()(Null) const { Require(column.null, "only NULL is NULL"); }
  void operator()(bool value) const {
    Require(column.text == (value ? "t" : "f"), "a bool is t or f");
  }
  void operator()(std::int64_t value) const {
    std::string_view digits = column.text;
    const bool negative = digits.starts_with('-');
    if (negative) digits.remove_prefix(1);
    while (digits.size() > 1 && digits[0] == '0') digits.remove_prefix(1);
    const std::string shown = std::to_string(value);
    Require(shown == (negative && value != 0 ? "-" : "") + std::string(digits), "an integer");
  }
  void operator()(double value) const {
    Require(std::isnan(value) ==
                (absl::AsciiStrToLower(std::string(column.text)).find("nan") != std::string::npos),
            "only NaN is NaN");
  }
  void operator()(std::string_view value) const { Require(value == column.text, "a text is one"); }
  void operator()(BytesView value) const {
    Require(Hex(value.data) == absl::AsciiStrToLower(std::string(column.text)), "bytea is its hex");
  }
};

}  // namespace

void ResultText(std::string_view input) {
  constexpr Oid kTypes[] = {kBoolOid, kByteaOid,  kInt8Oid,   kInt2Oid, kInt4Oid,
                            kOidOid,  kFloat4Oid, kFloat8Oid, 25,       1007};
  Reader reader(input);
  std::vector<Column> columns;
  while (!reader.empty() && columns.size() < 16) {
    const std::uint8_t kind = reader.Byte();
    columns.push_back({.type = kTypes[kind % 10], .text = reader.Text(), .null = kind >= 250});
  }
  if (columns.empty()) return;
  const Result result = ResultOf(columns);
  RowDecoder decoder;
  decoder.Start(result.get());
  // Twice: its buffers are used again for each row.
  for (int i = 0; i < 2; ++i) {
    const auto cells = decoder.Decode(result.get(), 0);
    if (!cells.ok()) continue;
    Require(cells->size() == columns.size(), "there are as many cells as columns");
    for (std::size_t at = 0; at < columns.size(); ++at) {
      std::visit(Check{columns[at]}, (*cells)[at]);
    }
  }
}

}  // namespace emsdb::fuzz
