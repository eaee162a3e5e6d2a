// Reading: the results of one command in a pipeline, and the end of a unit.
#ifndef EMSDB_POOL_POSTGRES_STEP_H_
#define EMSDB_POOL_POSTGRES_STEP_H_

#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "pool/connection.h"
#include "pool/errors.h"
#include "pool/postgres/exchange.h"
#include "pool/postgres/type_names.h"
#include "pool/postgres/values.h"

namespace emsdb {

// How one command ended.
struct StepEnd {
  enum class How {
    kDone,
    kFailed,   // the server refused it; `status` says why
    kSkipped,  // one before it failed
    kRefused,  // its result was not taken, or not all of it; `status` says why
    kLost      // there was no answer
  };
  How how = How::kLost;
  Completion completion;
  absl::Status status;
  bool fatal = false;   // it failed and the server ended the session with it
  bool undone = false;  // the server said that it failed, whatever it is remembered by
  // Whether a prepared statement failed for what was found when it was prepared: before it ran, or
  // perhaps so; or it is not there any more.
  enum class Outdated { kNo, kYes, kPerhaps, kNotThere };
  Outdated outdated = Outdated::kNo;

  bool failed() const { return how == How::kFailed; }
  bool done() const { return how == How::kDone; }
  bool lost() const { return how == How::kLost; }
};

// Hands one statement's rows on to a sink.
class RowForwarder {
 public:
  RowForwarder(RowSink& sink, RowDecoder& decoder, const TypeNames& types)
      : sink_(sink), decoder_(decoder), types_(types) {}

  absl::Status TakeRows(const PGresult* result);

  // Whether the sink has heard of this result.
  bool started() const { return started_; }
  // The types whose names were not known.
  const std::vector<Oid>& unknown_types() const { return unknown_types_; }
  // Tells the sink, now that the names are.
  void NameColumns();

 private:
  absl::Status TakeColumns(const PGresult* result);

  RowSink& sink_;
  RowDecoder& decoder_;
  const TypeNames& types_;
  bool started_ = false;
  std::vector<Column> columns_;
  std::vector<Oid> unknown_types_;
};

// Reads one command's results to their end, `rows` null: without keeping any. If the rows are
// refused the command is cancelled and read to its end all the same.
StepEnd ReadStep(Exchange& exchange, RowForwarder* rows, Stage stage);

// Reads until the server has done the Sync. An error here is one of the implicit commit.
StepEnd ReadSync(Exchange& exchange, Stage stage);

// "INSERT 0 3" -> "INSERT".
std::string CommandOf(std::string_view tag);

}  // namespace emsdb

#endif  // EMSDB_POOL_POSTGRES_STEP_H_
