#include "client/cli/result_writer.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <limits>

namespace emsdb::client::cli {
namespace {

struct Table {
  std::vector<Column> columns;
  std::vector<Row> rows;
  Completion completion;
};

// Through a real file descriptor.
std::string Written(Format format, const Table& table) {
  std::FILE* file = std::tmpfile();
  Output output(fileno(file));
  const auto writer = MakeWriter(format, output);
  writer->Begin(table.columns);
  for (const Row& row : table.rows) writer->AddRow(row);
  writer->End(table.completion);
  output.Flush();
  EXPECT_TRUE(output.status().ok()) << output.status();
  std::string text;
  std::rewind(file);
  for (int c = std::fgetc(file); c != EOF; c = std::fgetc(file))
    text.push_back(static_cast<char>(c));
  std::fclose(file);
  return text;
}

Table OneCell(Value value, const std::string& type = "") {
  return {.columns = {{.name = "c", .type = type}},
          .rows = {{std::move(value)}},
          .completion = {.row_count = 1, .rows_affected = 1, .command = "SELECT"}};
}

std::string JsonCell(Value value) {
  const std::string text = Written(Format::kJson, OneCell(std::move(value)));
  const std::size_t begin = text.find("\n[") + 2;
  return text.substr(begin, text.find("]\n", begin) - begin);
}

TEST(CsvWriter, QuotesByRfc4180) {
  EXPECT_EQ(Written(Format::kCsv, {.columns = {{.name = "a"}, {.name = "b,c"}, {.name = "d"}},
                                   .rows = {{"x", "say \"hi\"", "two\nlines"}, {1, 2.5, true}}}),
            "a,\"b,c\",d\r\n"
            "x,\"say \"\"hi\"\"\",\"two\nlines\"\r\n"
            "1,2.5,true\r\n");
}

// T49
TEST(CsvWriter, TellsNullFromTheEmptyText) {
  EXPECT_EQ(Written(Format::kCsv, {.columns = {{.name = "a"}, {.name = "b"}, {.name = "c"}},
                                   .rows = {{Null{}, "", Null{}}, {"", Null{}, 1}}}),
            "a,b,c\r\n,\"\",\r\n\"\",,1\r\n");
}

TEST(CsvWriter, WritesNothingForAStatementWithoutColumns) {
  EXPECT_EQ(Written(Format::kCsv, {.completion = {.rows_affected = 3, .command = "INSERT"}}), "");
}

TEST(JsonWriter, HasOneShapeForEveryResult) {
  EXPECT_EQ(Written(Format::kJson,
                    {.columns = {{.name = "id", .type = "int8"}, {.name = "id", .type = "text"}},
                     .rows = {{1, "a"}, {2, Null{}}},
                     .completion = {.row_count = 2, .rows_affected = 2, .command = "SELECT"}}),
            "{\"columns\":[{\"name\":\"id\",\"type\":\"int8\"},"
            "{\"name\":\"id\",\"type\":\"text\"}],\"rows\":[\n"
            "[1,\"a\"],\n"
            "[2,null]\n"
            "],\"row_count\":2,\"rows_affected\":2,\"command\":\"SELECT\"}\n");
  EXPECT_EQ(Written(Format::kJson, {.completion = {.rows_affected = 3, .command = "INSERT"}}),
            "{\"columns\":[],\"rows\":[],\"row_count\":0,\"rows_affected\":3,"
            "\"command\":\"INSERT\"}\n");
}

// T50, T51, T52, T54
TEST(JsonWriter, LosesNothing) {
  EXPECT_EQ(JsonCell(std::numeric_limits<std::int64_t>::max()), "9223372036854775807");
  EXPECT_EQ(JsonCell(std::numeric_limits<std::int64_t>::min()), "-9223372036854775808");
  EXPECT_EQ(JsonCell(0.1), "0.1");
  EXPECT_EQ(JsonCell(5.0), "5.0");
  EXPECT_EQ(JsonCell(-0.0), "-0.0");
  EXPECT_EQ(JsonCell(1e300), "1e+300");
  EXPECT_EQ(JsonCell(std::numeric_limits<double>::quiet_NaN()), "\"NaN\"");
  EXPECT_EQ(JsonCell(std::numeric_limits<double>::infinity()), "\"Infinity\"");
  EXPECT_EQ(JsonCell(-std::numeric_limits<double>::infinity()), "\"-Infinity\"");
  EXPECT_EQ(JsonCell("12345678901234567890.12345"), "\"12345678901234567890.12345\"");
  EXPECT_EQ(JsonCell(Bytes{std::string("\0\xff", 2)}), "\"\\\\x00ff\"");
  EXPECT_EQ(JsonCell(false), "false");
  EXPECT_EQ(JsonCell(""), "\"\"");
}

TEST(JsonWriter, EscapesWhatJsonOrATerminalWouldObey) {
  EXPECT_EQ(JsonCell("a\"b\\c\n\x1b\x7f\u009b ü"), "\"a\\\"b\\\\c\\u000a\\u001b\\u007f\\u009b ü\"");
}

TEST(TableWriter, AlignsByDisplayWidthAndNumbersToTheRight) {
  EXPECT_EQ(Written(Format::kTable, {.columns = {{.name = "id", .type = "int8"},
                                                 {.name = "city"},
                                                 {.name = "n", .type = "numeric"}},
                                     .rows = {{1, "Zürich", "10.50"}, {100, "救急", Null{}}},
                                     .completion = {.row_count = 2}}),
            "  id | city   |     n\n"
            "-----+--------+-------\n"
            "   1 | Zürich | 10.50\n"
            " 100 | 救急   |  NULL\n"
            "(2 rows)\n");
}

TEST(TableWriter, TakesAColumnWithoutATypeForWhatItsCellsAre) {
  EXPECT_EQ(Written(Format::kTable, OneCell(7)), " c\n---\n 7\n(1 row)\n");
  const std::string text =
      Written(Format::kTable, {.columns = {{.name = "ccc"}}, .rows = {{7}, {8}}});
  EXPECT_EQ(text.substr(0, 12), " ccc\n-----\n ") << text;
  EXPECT_NE(text.find("\n   7\n"), std::string::npos) << text;
}

TEST(TableWriter, KeepsEveryRowOnOneLine) {
  EXPECT_EQ(Written(Format::kTable, OneCell("a\nb\x1b[2J")),
            " c\n-------------\n a\\nb\\x1B[2J\n(1 row)\n");
}

TEST(TableWriter, StreamsRowsBeyondThoseItMeasured) {
  Table table{.columns = {{.name = "c"}}, .completion = {.row_count = 1501}};
  for (int i = 0; i < 1500; ++i) table.rows.push_back({"x"});
  table.rows.push_back({"much wider"});
  const std::string text = Written(Format::kTable, table);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1504);
  EXPECT_NE(text.find("\n much wider\n(1501 rows)\n"), std::string::npos);
}

TEST(TableWriter, NamesTheCommandOfAStatementWithoutColumns) {
  EXPECT_EQ(Written(Format::kTable, {.completion = {.rows_affected = 3, .command = "INSERT"}}),
            "INSERT: 3 rows\n");
  EXPECT_EQ(Written(Format::kTable, {.completion = {.command = "CREATE TABLE"}}), "CREATE TABLE\n");
}

TEST(Output, KeepsTheErrorOfAPipeNobodyReads) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  close(ends[0]);
  signal(SIGPIPE, SIG_IGN);
  Output output(ends[1]);
  output.Write("x");
  output.Flush();
  EXPECT_FALSE(output.status().ok());
  close(ends[1]);
}

}  // namespace
}  // namespace emsdb::client::cli
