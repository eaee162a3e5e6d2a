#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/cli/cell_text.h"
#include "client/cli/json_text.h"
#include "client/cli/result_writer.h"

namespace emsdb::client::cli {
namespace {

std::string JsonDouble(double value) {
  if (!std::isfinite(value)) return JsonString(DoubleText(value));
  const std::string text = DoubleText(value);
  // Shows that it is no integer: SQLite's cells have kinds of their own.
  return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
}

struct ToJson {
  std::string operator()(Null) const { return "null"; }
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(std::int64_t value) const { return absl::StrCat(value); }
  std::string operator()(double value) const { return JsonDouble(value); }
  std::string operator()(const std::string& text) const { return JsonString(text); }
  std::string operator()(const Bytes& bytes) const { return JsonString(BytesText(bytes.data)); }
};

// The length of the control character at the beginning of `text`, in bytes; 0 if it is none.
std::size_t ControlLength(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x20 || first == 0x7F) return 1;
  if (first != 0xC2 || text.size() < 2) return 0;
  const auto second = static_cast<unsigned char>(text[1]);
  return second >= 0x80 && second < 0xA0 ? 2 : 0;
}

class JsonWriter : public ResultWriter {
 public:
  explicit JsonWriter(Output& output) : output_(output) {}

  void Begin(const std::vector<Column>& columns) override {
    std::string head = R"({"columns":[)";
    const char* separator = "";
    for (const Column& column : columns) {
      absl::StrAppend(&head, separator, R"({"name":)", JsonString(column.name), R"(,"type":)",
                      JsonString(column.type), "}");
      separator = ",";
    }
    output_.Write(head + R"(],"rows":[)");
  }

  void AddRow(const Row& row) override {
    std::string line = rows_++ == 0 ? "\n[" : ",\n[";
    const char* separator = "";
    for (const Value& value : row) {
      absl::StrAppend(&line, separator, JsonValue(value));
      separator = ",";
    }
    output_.Write(line + "]");
  }

  void End(const Completion& completion) override {
    output_.Write(absl::StrCat(rows_ == 0 ? "" : "\n", R"(],"row_count":)", completion.row_count,
                               R"(,"rows_affected":)", completion.rows_affected, R"(,"command":)",
                               JsonString(completion.command), "}\n"));
  }

 private:
  Output& output_;
  std::int64_t rows_ = 0;
};

}  // namespace

std::string JsonString(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    std::size_t taken = ControlLength(text);
    if (taken != 0) {
      const auto code = static_cast<unsigned char>(text[taken - 1]);
      absl::StrAppendFormat(&out, "\\u%04x", static_cast<unsigned>(code));
    } else {
      taken = 1;
      if (text[0] == '"' || text[0] == '\\') out.push_back('\\');
      out.push_back(text[0]);
    }
    text.remove_prefix(taken);
  }
  out.push_back('"');
  return out;
}

std::string JsonValue(const Value& value) { return std::visit(ToJson{}, value.kind()); }

std::unique_ptr<ResultWriter> MakeJsonWriter(Output& output) {
  return std::make_unique<JsonWriter>(output);
}

}  // namespace emsdb::client::cli
