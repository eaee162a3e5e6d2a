// A member of a group that keeps its rows and its end.
#ifndef EMSDB_TESTS_SUPPORT_GROUPED_READ_H_
#define EMSDB_TESTS_SUPPORT_GROUPED_READ_H_

#include <functional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "pool/errors.h"
#include "tests/support/collecting_sink.h"

namespace emsdb {

// Public data: the test reads it after the group.
class CollectingRead final : public GroupedRead {
 public:
  explicit CollectingRead(std::string sql, std::vector<Value> parameters = {},
                          std::string identity = "")
      : statement_{std::move(sql), std::move(parameters), {}}, identity_(std::move(identity)) {}

  const Statement& statement() const override { return statement_; }
  std::string_view identity() const override { return identity_; }
  Duration time_limit() const override { return limit; }
  Instant deadline() const override { return kNever; }
  RowSink& sink() override { return rows; }
  void Ended(absl::StatusOr<Completion> result, Duration) override {
    ++ends;
    status = result.status();
    if (then) then();
  }

  bool IsToRunAlone() const { return IsRunAlone(status); }
  // The first cell as text.
  std::string text() const {
    return rows.rows.empty() ? "no row" : std::get<std::string>(rows.rows[0].at(0));
  }

  CollectingSink rows;
  absl::Status status = absl::UnknownError("it has not ended");
  int ends = 0;
  Duration limit = std::chrono::seconds(1);
  std::function<void()> then;

 private:
  const Statement statement_;
  const std::string identity_;
};

}  // namespace emsdb

#endif  // EMSDB_TESTS_SUPPORT_GROUPED_READ_H_
