#include "server/inquiry.h"

#include <utility>

namespace emsdb {
namespace {

constexpr char kOurselves[] = "emsdb-gateway";

struct CellText {
  std::string operator()(Null) const { return ""; }
  std::string operator()(bool cell) const { return cell ? "true" : "false"; }
  std::string operator()(std::int64_t cell) const { return std::to_string(cell); }
  std::string operator()(double cell) const { return std::to_string(cell); }
  std::string operator()(std::string_view cell) const { return std::string(cell); }
  std::string operator()(BytesView cell) const { return std::string(cell.data); }
};

class Inquiry final : public Call, private RowSink {
 public:
  Inquiry(Clock& clock, const char* sql, InquiryAnswer answer)
      : Call({.deadline = clock.Now() + kInquiryPatience,
              .priority = Priority::kDispatch,
              .caller = kOurselves,
              .statement = sql},
             clock),
        sql_(sql),
        answer_(std::move(answer)) {}

 protected:
  absl::Status Run(Connection& connection, const Bounds& bounds, Lease&) override {
    return connection
        .Execute({.sql = sql_, .parameters = {}, .parameter_types = {}},
                 {.access = Access::kReadOnly, .identity = kOurselves}, bounds, *this)
        .status();
  }

  void Finish(absl::Status status, const CallTimes&) override {
    if (status.ok()) {
      answer_(std::move(row_));
    } else {
      answer_(std::move(status));
    }
  }

 private:
  absl::Status OnColumns(std::span<const Column>) override { return absl::OkStatus(); }
  absl::Status OnRow(std::span<const Cell> cells) override {
    if (row_.empty()) {
      for (const Cell& cell : cells) row_.push_back(std::visit(CellText{}, cell));
    }
    return absl::OkStatus();
  }

  const char* const sql_;
  const InquiryAnswer answer_;
  std::vector<std::string> row_;
};

}  // namespace

void Inquire(PoolManager& pools, Database& database, const char* sql, InquiryAnswer answer) {
  std::make_shared<Inquiry>(pools.clock(), sql, std::move(answer))
      ->Start(database.PoolFor(Access::kReadOnly), Purpose::kStatement);
}

}  // namespace emsdb
