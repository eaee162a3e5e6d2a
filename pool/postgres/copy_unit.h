// Rows on their way to PostgreSQL: from the source through COPY's text format to the socket, and
// what the server says to them.
#ifndef EMSDB_POOL_POSTGRES_COPY_UNIT_H_
#define EMSDB_POOL_POSTGRES_COPY_UNIT_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "pool/connection.h"
#include "pool/postgres/exchange.h"

namespace emsdb {

// One COPY whose query was sent outside of libpq's pipeline, where there is no COPY. Used once, by
// the worker's thread. Holds some tens of KiB of rows, or the one row that is larger.
//
// The server reads no cancel while it waits for rows: so the copy is also ended by its own message
// when the rows are broken off.
class CopyUnit {
 public:
  CopyUnit(Exchange& exchange, RowSource& source, const std::string& table)
      : exchange_(exchange), source_(source), table_(table) {}

  // Runs it to its end. OK: the server took all rows. An error of the source's goes before the
  // server's word on how its rows were broken off. Whether there was an answer at all, the exchange
  // says.
  absl::Status Run();

  std::int64_t rows_written() const { return rows_written_; }

 private:
  bool AwaitStart();
  absl::Status SendRows();
  // False: there is no use in sending more.
  bool Send();
  void ReadEnd();
  absl::Status StatusOf(const PGresult* result) const;

  Exchange& exchange_;
  RowSource& source_;
  const std::string& table_;
  std::string lines_;
  std::int64_t rows_given_ = 0;
  std::int64_t rows_written_ = 0;
  absl::Status refused_;    // by the server
  bool all_sent_ = false;   // to the source's own end
  bool completed_ = false;  // by the server
};

}  // namespace emsdb

#endif  // EMSDB_POOL_POSTGRES_COPY_UNIT_H_
