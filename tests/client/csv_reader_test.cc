#include "client/cli/csv_reader.h"

#include <gtest/gtest.h>

#include <random>

#include "client/cli/row_lines.h"

namespace emsdb::client::cli {
namespace {

// All records of the text, given in pieces of this many bytes; or the error.
absl::StatusOr<std::vector<Row>> Read(std::string_view text, CsvFormat format = {},
                                      std::size_t piece = 1) {
  CsvReader reader(format, [&]() -> absl::StatusOr<std::string_view> {
    const std::string_view part = text.substr(0, piece);
    text.remove_prefix(part.size());
    return part;
  });
  std::vector<Row> records;
  Row record;
  for (;;) {
    const auto more = reader.Next(record);
    if (!more.ok()) return more.status();
    if (!*more) return records;
    records.push_back(record);
  }
}

std::vector<Row> MustRead(std::string_view text, const CsvFormat& format = {}) {
  const auto whole = Read(text, format, 1 << 20);
  EXPECT_TRUE(whole.ok()) << whole.status();
  for (const std::size_t piece : {1, 2, 3, 7}) {
    const auto pieces = Read(text, format, piece);
    EXPECT_TRUE(pieces.ok()) << pieces.status();
    EXPECT_EQ(pieces.value_or(std::vector<Row>()), whole.value_or(std::vector<Row>())) << piece;
  }
  return whole.value_or(std::vector<Row>());
}

std::string Complaint(std::string_view text) {
  const auto read = Read(text);
  EXPECT_EQ(read.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(read.status().message());
}

using Records = std::vector<Row>;

TEST(CsvReader, ReadsRecordsWithEitherLineEnd) {
  EXPECT_EQ(MustRead("a,b\r\n1,2\r\n"), (Records{{"a", "b"}, {"1", "2"}}));
  EXPECT_EQ(MustRead("a,b\n1,2"), (Records{{"a", "b"}, {"1", "2"}}));
  EXPECT_EQ(MustRead(""), Records());
}

TEST(CsvReader, ReadsQuotedFields) {
  EXPECT_EQ(MustRead("\"a,b\",\"say \"\"hi\"\"\",\"two\nlines\r\n\"\n"),
            (Records{{"a,b", "say \"hi\"", "two\nlines\r\n"}}));
  EXPECT_EQ(MustRead("\"\"\"\""), (Records{{"\""}}));
}

// T49
TEST(CsvReader, TellsNullFromEmptyText) {
  EXPECT_EQ(MustRead("1,,\"\"\n"), (Records{{"1", Null{}, ""}}));
  EXPECT_EQ(MustRead(",\n"), (Records{{Null{}, Null{}}}));
  EXPECT_EQ(MustRead("\n"), (Records{{Null{}}}));
  EXPECT_EQ(MustRead("NULL,\"NULL\",\n", {.null_text = "NULL"}), (Records{{Null{}, "NULL", ""}}));
}

TEST(CsvReader, LeavesOutAByteOrderMarkAtTheBeginningOnly) {
  EXPECT_EQ(MustRead("\xEF\xBB\xBFid\n\xEF\xBB\xBFx\n"), (Records{{"id"}, {"\xEF\xBB\xBFx"}}));
  EXPECT_EQ(MustRead("\xEF\xBB"), (Records{{"\xEF\xBB"}}));
  EXPECT_EQ(MustRead("\xEF\xBB\xBF"), Records());
}

TEST(CsvReader, TakesAnotherDelimiter) {
  EXPECT_EQ(MustRead("a,b;c\n", {.delimiter = ';'}), (Records{{"a,b", "c"}}));
  EXPECT_EQ(MustRead("a\tb\n", {.delimiter = '\t'}), (Records{{"a", "b"}}));
}

TEST(CsvReader, NamesTheLineOfWhatIsNoCsv) {
  EXPECT_EQ(Complaint("a\nb\"c\n"), "line 2: a quote within a field that does not begin with one");
  EXPECT_EQ(Complaint("a\n\"x\n\ny\"z\n"), "line 4: text behind a closing quote");
  EXPECT_EQ(Complaint("a\n\"x\n\ny\n"), "line 2: a quote is opened and never closed");
  EXPECT_EQ(Complaint("a\rb\n"),
            "line 1: a carriage return that no line feed follows; quote the field");
}

TEST(CsvReader, HoldsNoMoreThanOneRowOfReasonableSize) {
  std::int64_t given = 0;
  const std::string block(1 << 20, 'x');
  CsvReader reader({}, [&]() -> absl::StatusOr<std::string_view> {
    return given++ == 0 ? std::string_view("\"") : std::string_view(block);
  });
  Row record;
  const auto read = reader.Next(record);
  EXPECT_EQ(read.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_LT(given, 20);
}

TEST(CsvReader, GivesOnTheErrorOfItsBytes) {
  CsvReader reader(
      {}, []() -> absl::StatusOr<std::string_view> { return absl::CancelledError("cancelled"); });
  Row record;
  EXPECT_EQ(reader.Next(record).status(), absl::CancelledError("cancelled"));
}

TEST(CsvReader, SaysOnWhichLineEachRecordBegan) {
  std::string_view text = "a\n\"b\nc\"\n\nd\n";
  CsvReader reader({}, [&]() -> absl::StatusOr<std::string_view> {
    return std::exchange(text, std::string_view());
  });
  std::vector<std::int64_t> lines;
  for (Row record; *reader.Next(record);) lines.push_back(reader.line());
  EXPECT_EQ(lines, (std::vector<std::int64_t>{1, 2, 4, 5}));
}

// A property: what is written by the rules is read back.
TEST(CsvReader, ReadsBackWhatWasWritten) {
  std::mt19937 random(20240607);
  constexpr std::string_view kAlphabet[] = {"a", ",", "\"", "\n", "\r\n", "ä", " ", ";", "\\"};
  for (int round = 0; round < 3000; ++round) {
    Records expected;
    std::string text;
    for (std::size_t rows = 1 + random() % 4; rows > 0; --rows) {
      Row record;
      for (std::size_t fields = 1 + random() % 4; fields > 0; --fields) {
        std::string field;
        std::string quoted = "\"";
        for (std::size_t left = random() % 6; left > 0; --left) {
          const std::string_view part = kAlphabet[random() % std::size(kAlphabet)];
          field += part;
          quoted += part == "\"" ? "\"\"" : part;
        }
        const bool is_null = random() % 4 == 0;
        record.push_back(is_null ? Value() : Value(field));
        if (!is_null) text += quoted + '"';
        text += fields > 1 ? "," : random() % 2 == 0 ? "\n" : "\r\n";
      }
      expected.push_back(record);
    }
    const auto read = Read(text, {}, 1 + random() % 9);
    ASSERT_TRUE(read.ok()) << read.status() << "\n" << text;
    ASSERT_EQ(*read, expected) << text;
  }
}

TEST(RowLines, RememberTheLineOfEachRow) {
  RowLines lines;
  for (const std::int64_t line : {2, 3, 6, 7, 9}) lines.Add(line);
  EXPECT_EQ(lines.LineOf(1), 2);
  EXPECT_EQ(lines.LineOf(2), 3);
  EXPECT_EQ(lines.LineOf(3), 6);
  EXPECT_EQ(lines.LineOf(4), 7);
  EXPECT_EQ(lines.LineOf(5), 9);
  EXPECT_EQ(lines.LineOf(0), std::nullopt);
  EXPECT_EQ(lines.LineOf(6), std::nullopt);
}

TEST(RowLines, ForgetTheOldestRatherThanToGrow) {
  RowLines lines;
  constexpr std::int64_t kRows = RowLines::kMostJumps + 10;
  for (std::int64_t row = 1; row <= kRows; ++row) lines.Add(2 * row);
  EXPECT_EQ(lines.LineOf(kRows), 2 * kRows);
  EXPECT_EQ(lines.LineOf(11), 22);
  EXPECT_EQ(lines.LineOf(10), std::nullopt);
}

}  // namespace
}  // namespace emsdb::client::cli
