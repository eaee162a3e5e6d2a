// A request's statement, rows and times are taken over exactly, or refused as INVALID_ARGUMENT with
// the field's name.
#include <chrono>
#include <string>
#include <vector>

#include "client/text_check.h"
#include "emsdb/v1/copy_service.pb.h"
#include "emsdb/v1/database_service.pb.h"
#include "emsdb/v1/query_service.pb.h"
#include "emsdb/v1/transaction_service.pb.h"
#include "pool/copy_target.h"
#include "pool/errors.h"
#include "pool/limits.h"
#include "pool/names.h"
#include "pool/postgres/copy_text.h"
#include "pool/postgres/values.h"
#include "server/convert.h"
#include "tests/fuzz/reader.h"
#include "tests/fuzz/target.h"
#include "tests/fuzz/targets.h"

namespace emsdb::fuzz {
namespace {

void CheckRefusal(const absl::Status& status, std::string_view field) {
  Require(status.code() == absl::StatusCode::kInvalidArgument, "a bad request is the caller's");
  Require(DetailOf(status).field.starts_with(field), "a refusal names the field");
}

// As the cells' kinds go, which is all there is of a value.
void CheckSame(const v1::Value& a, const v1::Value& b) {
  Require(a.kind_case() == b.kind_case(), "a value keeps its kind");
  Require(a.has_null_value() || a.SerializeAsString() == b.SerializeAsString(),
          "a value is taken over exactly");
}

template <typename Values>
void CheckCells(const std::vector<Cell>& cells, const Values& values) {
  Require(static_cast<int>(cells.size()) == values.size(), "there is a cell for each value");
  google::protobuf::RepeatedPtrField<v1::Row> rows;
  const std::size_t estimate = AddRow(cells, rows);
  Require(rows.Get(0).ByteSizeLong() <= estimate, "a row's size is not underestimated");
  for (int i = 0; i < values.size(); ++i) CheckSame(values.Get(i), rows.Get(0).values(i));
}

bool AllSet(const google::protobuf::RepeatedPtrField<v1::Value>& values) {
  for (const v1::Value& value : values) {
    if (value.kind_case() == v1::Value::KIND_NOT_SET) return false;
  }
  return true;
}

void Check(const v1::Statement& statement) {
  const auto converted = ToStatement(statement, "statement");
  if (!converted.ok()) return CheckRefusal(converted.status(), "statement.");
  Require(AllSet(statement.parameters()), "a value that is not set is never NULL");
  Require(converted->sql == statement.sql(), "the text is taken over exactly");
  std::vector<Cell> cells;
  for (const Value& value : converted->parameters) cells.push_back(CellOf(value));
  CheckCells(cells, statement.parameters());
  if (const auto bound = emsdb::BoundParameters::Bind(*converted); !bound.ok()) {
    CheckRefusal(bound.status(), "statement.parameter");
  } else {
    for (const v1::Value& value : statement.parameters()) {
      Require(client::TextProblem(value.string_value()).empty(), "what is bound, a client sends");
    }
  }
}

void Check(const v1::TransactionOptions& options) {
  if (const auto converted = ToTransactionOptions(options, "options"); !converted.ok()) {
    CheckRefusal(converted.status(), "options.");
  } else {
    Require((converted->access == Access::kReadOnly) == options.read_only(), "read_only is kept");
  }
  const auto terms = ToTransactionTerms(options, "options");
  if (!terms.ok()) return CheckRefusal(terms.status(), "options.");
  using std::chrono::milliseconds;
  using std::chrono::seconds;
  Require(terms->idle_timeout >= milliseconds(100) && terms->idle_timeout <= seconds(300) &&
              terms->total_timeout >= milliseconds(100) && terms->total_timeout <= seconds(3600),
          "a transaction's times are within their bounds");
}

void Check(v1::Priority priority) {
  if (const auto converted = ToPriority(priority); !converted.ok()) {
    CheckRefusal(converted.status(), "priority");
  }
}

void Check(const v1::QueryRequest& request) {
  Check(request.statement());
  Check(request.transaction().begin());
  Check(request.priority());
}

void Check(const v1::StreamQueryRequest& request) { Check(request.statement()); }

void Check(const v1::ExecuteBatchRequest& request) {
  for (const v1::BatchStatement& each : request.statements()) Check(each.statement());
  // Says what the client would say before it sends it.
  const absl::Status sent = client::CheckTexts(request);
  Require(sent.ok() || sent.code() == absl::StatusCode::kInvalidArgument, "the client refuses");
}

void Check(const v1::BeginTransactionRequest& request) {
  Check(request.options());
  Check(request.priority());
}

void Check(const v1::TransactRequest& request) {
  Check(request.begin().options());
  Check(request.begin().priority());
  Check(request.statement().statement());
}

void Check(const v1::CopyInRequest& request) {
  std::string lines;
  std::vector<Cell> cells;
  for (const v1::Row& row : request.rows()) {
    const auto unset = ToCells(row, cells);
    Require(unset.has_value() == !AllSet(row.values()), "a value that is not set is never NULL");
    if (unset) continue;
    CheckCells(cells, row.values());
    AppendCopyLine(cells, lines);
  }
  const CopyTarget target{
      .schema = request.start().schema(),
      .table = request.start().table(),
      .columns = {request.start().columns().begin(), request.start().columns().end()}};
  if (const absl::Status status = CheckCopyTarget(target, kLongestPostgresName); !status.ok()) {
    CheckRefusal(status, "start.");
  }
}

void Check(const v1::ResizePoolRequest& request) {
  PoolLimits limits;
  if (request.has_size()) limits.size = request.size();
  if (request.has_max_overflow()) limits.overflow = request.max_overflow();
  if (!Complaints(limits).empty()) return;
  Require(limits.size >= 1 && limits.overflow >= 0, "a pool has a size");
  Require(limits.size <= 1'000'000 && limits.overflow <= 1'000'000, "its sum is a number");
}

template <typename Request>
void Parse(std::string_view bytes) {
  Request request;
  if (!request.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return;
  request.DiscardUnknownFields();
  Check(request);
}

}  // namespace

void RequestMessages(std::string_view input) {
  // What is no UTF-8 makes protobuf say so on standard error for each input.
  static const google::protobuf::LogSilencer& silence = *new google::protobuf::LogSilencer;
  static_cast<void>(silence);
  constexpr void (*kParsers[])(std::string_view) = {
      Parse<v1::QueryRequest>,        Parse<v1::StreamQueryRequest>,
      Parse<v1::ExecuteBatchRequest>, Parse<v1::BeginTransactionRequest>,
      Parse<v1::TransactRequest>,     Parse<v1::CopyInRequest>,
      Parse<v1::ResizePoolRequest>};
  Reader reader(input);
  const std::size_t parser = reader.Byte() % std::size(kParsers);
  kParsers[parser](reader.Rest());
}

}  // namespace emsdb::fuzz
