// Rows in bulk: any number of them into one table, all or none.
#ifndef EMSDB_CLIENT_COPY_WRITER_H_
#define EMSDB_CLIENT_COPY_WRITER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/options.h"
#include "client/transport.h"
#include "client/value.h"

namespace emsdb::client {

// Names, never SQL: they are quoted as they are, so capitals count.
struct CopyTarget {
  std::string table;
  std::string schema = {};                // empty: found by the search path
  std::vector<std::string> columns = {};  // in the order of the cells; empty: all of the table
};

struct CopyOptions {
  Priority priority = Priority::kDefault;
  CallOptions call = {};  // for all of it; 300 s unless told otherwise
};

// A running CopyIn, made by Client::CopyIn. Rows are gathered into requests of about 64 KiB and
// sent as fast as the database takes them: Add waits where it must. Destroyed without a Commit() it
// leaves nothing behind. One thread.
//
// The first error ends it: every later call gives the same one. ErrorInfo::row() is the number of
// the row that was refused, from 1; it may be one that was added some time before.
class CopyWriter {
 public:
  // For Client.
  CopyWriter(std::unique_ptr<RequestStream> stream, v1::CopyInRequest first);

  // INVALID_ARGUMENT, and nothing is written, for text that is not UTF-8 or has U+0000 in it.
  absl::Status Add(Row row);

  // Sends what was gathered, where rows come too slowly to fill a request: a gateway that hears
  // nothing for some seconds ends the call.
  absl::Status Flush();

  // Rows written. Errors as those of Transaction::Commit; any before it was called leaves nothing
  // behind.
  absl::StatusOr<std::int64_t> Commit();

  std::int64_t rows_added() const { return rows_added_; }

 private:
  absl::Status Send();
  absl::Status Fail(absl::Status status);

  std::unique_ptr<RequestStream> stream_;  // null once it has ended
  v1::CopyInRequest request_;
  std::size_t bytes_ = 0;  // in request_, about
  std::int64_t rows_added_ = 0;
  absl::Status status_;
};

}  // namespace emsdb::client

#endif  // EMSDB_CLIENT_COPY_WRITER_H_
