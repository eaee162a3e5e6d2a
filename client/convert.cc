#include "client/convert.h"

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"

namespace emsdb::client {
namespace {

struct ToWireValue {
  v1::Value& out;
  void operator()(Null) const { out.set_null_value(google::protobuf::NULL_VALUE); }
  void operator()(bool value) const { out.set_bool_value(value); }
  void operator()(std::int64_t value) const { out.set_int64_value(value); }
  void operator()(double value) const { out.set_double_value(value); }
  void operator()(std::string&& text) const { out.set_string_value(std::move(text)); }
  void operator()(Bytes&& bytes) const { out.set_bytes_value(std::move(bytes.data)); }
};

void SetDuration(Duration from, google::protobuf::Duration& to) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(from);
  to.set_seconds(seconds.count());
  to.set_nanos(static_cast<std::int32_t>((from - seconds).count()));
}

}  // namespace

v1::Value ToWire(Value value) {
  v1::Value out;
  std::visit(ToWireValue{out}, std::move(value).TakeKind());
  return out;
}

v1::Statement ToWire(std::string sql, std::vector<Value> parameters,
                     std::vector<std::string> parameter_types) {
  v1::Statement out;
  out.set_sql(std::move(sql));
  for (Value& value : parameters) *out.add_parameters() = ToWire(std::move(value));
  for (std::string& type : parameter_types) out.add_parameter_types(std::move(type));
  return out;
}

v1::Priority ToWire(Priority priority) {
  switch (priority) {
    case Priority::kDefault:
      return v1::PRIORITY_UNSPECIFIED;
    case Priority::kDispatch:
      return v1::PRIORITY_DISPATCH;
    case Priority::kClinical:
      return v1::PRIORITY_CLINICAL;
    case Priority::kOperations:
      return v1::PRIORITY_OPERATIONS;
    case Priority::kReporting:
      return v1::PRIORITY_REPORTING;
  }
  return v1::PRIORITY_UNSPECIFIED;
}

v1::IsolationLevel ToWire(Isolation isolation) {
  switch (isolation) {
    case Isolation::kDefault:
      return v1::ISOLATION_LEVEL_UNSPECIFIED;
    case Isolation::kReadCommitted:
      return v1::ISOLATION_LEVEL_READ_COMMITTED;
    case Isolation::kRepeatableRead:
      return v1::ISOLATION_LEVEL_REPEATABLE_READ;
    case Isolation::kSerializable:
      return v1::ISOLATION_LEVEL_SERIALIZABLE;
  }
  return v1::ISOLATION_LEVEL_UNSPECIFIED;
}

v1::TransactionOptions ToWire(const TransactionOptions& options) {
  v1::TransactionOptions out;
  out.set_isolation_level(ToWire(options.isolation));
  out.set_read_only(options.access == Access::kReadOnly);
  if (options.idle_timeout) SetDuration(*options.idle_timeout, *out.mutable_idle_timeout());
  if (options.total_timeout) SetDuration(*options.total_timeout, *out.mutable_total_timeout());
  return out;
}

absl::StatusOr<Value> FromWire(v1::Value&& value) {
  switch (value.kind_case()) {
    case v1::Value::kNullValue:
      return Value();
    case v1::Value::kBoolValue:
      return Value(value.bool_value());
    case v1::Value::kInt64Value:
      return Value(value.int64_value());
    case v1::Value::kDoubleValue:
      return Value(value.double_value());
    case v1::Value::kStringValue:
      return Value(std::move(*value.mutable_string_value()));
    case v1::Value::kBytesValue:
      return Value(Bytes{std::move(*value.mutable_bytes_value())});
    case v1::Value::KIND_NOT_SET:
      break;
  }
  return absl::DataLossError("the gateway sent a value of a kind that this client does not know");
}

absl::Status FromWire(v1::Row&& row, std::size_t columns, Row& into) {
  const auto cells = static_cast<std::size_t>(row.values_size());
  if (cells != columns) {
    return absl::DataLossError(
        absl::StrCat("the gateway sent a row of ", cells, " cells for ", columns, " columns"));
  }
  into.resize(cells);
  for (std::size_t i = 0; i < cells; ++i) {
    absl::StatusOr<Value> value = FromWire(std::move(*row.mutable_values(static_cast<int>(i))));
    if (!value.ok()) return value.status();
    into[i] = *std::move(value);
  }
  return absl::OkStatus();
}

std::vector<Column> FromWire(google::protobuf::RepeatedPtrField<v1::Column>&& columns) {
  std::vector<Column> out;
  out.reserve(static_cast<std::size_t>(columns.size()));
  for (v1::Column& column : columns) {
    out.push_back({.name = std::move(*column.mutable_name()),
                   .type = std::move(*column.mutable_type()),
                   .type_oid = column.type_oid()});
  }
  return out;
}

}  // namespace emsdb::client
