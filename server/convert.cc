#include "server/convert.h"

#include <google/protobuf/util/time_util.h>

#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_format.h"
#include "pool/errors.h"

namespace emsdb {
namespace {

using google::protobuf::util::TimeUtil;

constexpr Duration kShortestTimeout = std::chrono::milliseconds(100);
constexpr Duration kLongestIdle = std::chrono::seconds(300);
constexpr Duration kLongestTotal = std::chrono::seconds(3600);

absl::StatusOr<Value> ToValue(const v1::Value& value, std::string_view field, int index) {
  switch (value.kind_case()) {
    case v1::Value::kNullValue:
      return Null{};
    case v1::Value::kBoolValue:
      return value.bool_value();
    case v1::Value::kInt64Value:
      return value.int64_value();
    case v1::Value::kDoubleValue:
      return value.double_value();
    case v1::Value::kStringValue:
      return value.string_value();
    case v1::Value::kBytesValue:
      return Bytes{value.bytes_value()};
    case v1::Value::KIND_NOT_SET:
      break;
  }
  return InvalidField(absl::StrFormat("%s.parameters[%d]", field, index),
                      "the value is not set; NULL is said by null_value");
}

// A bound on a time in the request; nothing if it is not set.
absl::StatusOr<std::optional<Duration>> ToTimeout(bool set,
                                                  const google::protobuf::Duration& duration,
                                                  std::string_view field, Duration longest) {
  if (!set) return std::optional<Duration>();
  const auto longest_seconds = std::chrono::duration_cast<std::chrono::seconds>(longest).count();
  // In seconds first: what is far too long would overflow below.
  const bool valid = duration.seconds() >= 0 && duration.seconds() <= longest_seconds;
  const Duration wanted = std::chrono::seconds(valid ? duration.seconds() : 0) +
                          std::chrono::nanoseconds(duration.nanos());
  if (!valid || wanted < kShortestTimeout || wanted > longest) {
    return InvalidField(
        field, absl::StrFormat("a duration from 0.1 s to %d s is wanted", longest_seconds));
  }
  return std::optional<Duration>(wanted);
}

struct CellWriter {
  v1::Value& value;
  std::size_t operator()(Null) const {
    value.set_null_value(google::protobuf::NULL_VALUE);
    return 4;
  }
  std::size_t operator()(bool cell) const {
    value.set_bool_value(cell);
    return 4;
  }
  std::size_t operator()(std::int64_t cell) const {
    value.set_int64_value(cell);
    return 13;
  }
  std::size_t operator()(double cell) const {
    value.set_double_value(cell);
    return 11;
  }
  std::size_t operator()(std::string_view cell) const {
    value.set_string_value(cell.data(), cell.size());
    return cell.size() + 12;
  }
  std::size_t operator()(BytesView cell) const {
    value.set_bytes_value(cell.data.data(), cell.data.size());
    return cell.data.size() + 12;
  }
};

}  // namespace

absl::StatusOr<Statement> ToStatement(const v1::Statement& statement, std::string_view field) {
  Statement converted;
  converted.sql = statement.sql();
  converted.parameters.reserve(statement.parameters_size());
  for (int i = 0; i < statement.parameters_size(); ++i) {
    auto value = ToValue(statement.parameters(i), field, i);
    if (!value.ok()) return std::move(value).status();
    converted.parameters.push_back(*std::move(value));
  }
  const int types = statement.parameter_types_size();
  if (types != 0 && types != statement.parameters_size()) {
    return InvalidField(absl::StrFormat("%s.parameter_types", field),
                        absl::StrFormat("%d entries for %d parameters: none, or one for each",
                                        types, statement.parameters_size()));
  }
  converted.parameter_types.assign(statement.parameter_types().begin(),
                                   statement.parameter_types().end());
  return converted;
}

std::optional<int> ToCells(const v1::Row& row, std::vector<Cell>& cells) {
  cells.clear();
  for (const v1::Value& value : row.values()) {
    switch (value.kind_case()) {
      case v1::Value::kNullValue:
        cells.emplace_back(Null{});
        break;
      case v1::Value::kBoolValue:
        cells.emplace_back(value.bool_value());
        break;
      case v1::Value::kInt64Value:
        cells.emplace_back(std::int64_t{value.int64_value()});
        break;
      case v1::Value::kDoubleValue:
        cells.emplace_back(value.double_value());
        break;
      case v1::Value::kStringValue:
        cells.emplace_back(std::string_view(value.string_value()));
        break;
      case v1::Value::kBytesValue:
        cells.emplace_back(BytesView{value.bytes_value()});
        break;
      case v1::Value::KIND_NOT_SET:
        return static_cast<int>(cells.size());
    }
  }
  return std::nullopt;
}

absl::StatusOr<Priority> ToPriority(v1::Priority priority) {
  switch (priority) {
    case v1::PRIORITY_DISPATCH:
      return Priority::kDispatch;
    case v1::PRIORITY_CLINICAL:
      return Priority::kClinical;
    case v1::PRIORITY_UNSPECIFIED:
    case v1::PRIORITY_OPERATIONS:
      return Priority::kOperations;
    case v1::PRIORITY_REPORTING:
      return Priority::kReporting;
    default:
      break;
  }
  return InvalidField("priority", absl::StrFormat("%d is no priority", static_cast<int>(priority)));
}

absl::StatusOr<TransactionOptions> ToTransactionOptions(const v1::TransactionOptions& options,
                                                        std::string_view field) {
  TransactionOptions converted;
  switch (options.isolation_level()) {
    case v1::ISOLATION_LEVEL_UNSPECIFIED:
      break;
    case v1::ISOLATION_LEVEL_READ_COMMITTED:
      converted.isolation = Isolation::kReadCommitted;
      break;
    case v1::ISOLATION_LEVEL_REPEATABLE_READ:
      converted.isolation = Isolation::kRepeatableRead;
      break;
    case v1::ISOLATION_LEVEL_SERIALIZABLE:
      converted.isolation = Isolation::kSerializable;
      break;
    default:
      return InvalidField(
          absl::StrFormat("%s.isolation_level", field),
          absl::StrFormat("%d is no isolation level", static_cast<int>(options.isolation_level())));
  }
  converted.access = options.read_only() ? Access::kReadOnly : Access::kReadWrite;
  converted.deferrable = options.deferrable();
  if (options.deferrable() &&
      (!options.read_only() || converted.isolation != Isolation::kSerializable)) {
    return InvalidField(absl::StrFormat("%s.deferrable", field),
                        "only with read_only and ISOLATION_LEVEL_SERIALIZABLE");
  }
  return converted;
}

absl::StatusOr<TransactionTerms> ToTransactionTerms(const v1::TransactionOptions& options,
                                                    std::string_view field) {
  TransactionTerms terms;
  const auto idle = ToTimeout(options.has_idle_timeout(), options.idle_timeout(),
                              absl::StrFormat("%s.idle_timeout", field), kLongestIdle);
  if (!idle.ok()) return idle.status();
  const auto total = ToTimeout(options.has_total_timeout(), options.total_timeout(),
                               absl::StrFormat("%s.total_timeout", field), kLongestTotal);
  if (!total.ok()) return total.status();
  if (*idle) terms.idle_timeout = **idle;
  if (*total) terms.total_timeout = **total;
  return terms;
}

std::size_t AddRow(std::span<const Cell> cells, google::protobuf::RepeatedPtrField<v1::Row>& rows) {
  auto& values = *rows.Add()->mutable_values();
  values.Reserve(static_cast<int>(cells.size()));
  std::size_t bytes = 6;
  for (const Cell& cell : cells) bytes += std::visit(CellWriter{*values.Add()}, cell);
  return bytes;
}

void SetColumns(std::span<const Column> columns,
                google::protobuf::RepeatedPtrField<v1::Column>& into) {
  into.Clear();
  into.Reserve(static_cast<int>(columns.size()));
  for (const Column& column : columns) {
    v1::Column& added = *into.Add();
    added.set_name(column.name);
    added.set_type(column.type);
    added.set_type_oid(column.type_oid);
  }
}

v1::Engine ToProto(Engine engine) {
  return engine == Engine::kPostgresql ? v1::ENGINE_POSTGRESQL : v1::ENGINE_SQLITE;
}

}  // namespace emsdb
