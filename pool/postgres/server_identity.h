// Which server a session is on, and which transaction it is in: what a commit is named by.
#ifndef EMSDB_POOL_POSTGRES_SERVER_IDENTITY_H_
#define EMSDB_POOL_POSTGRES_SERVER_IDENTITY_H_

#include <libpq-fe.h>

#include <cstdint>
#include <string_view>

#include "pool/commit.h"
#include "pool/connection.h"

namespace emsdb {

// One command whose row is an IdentitySink's; false if the connection is gone. Every login may ask,
// unless it was forbidden. A session never outlives its server's incarnation: once is enough.
//
// The incarnation is the moment since when the archiver's statistics count: the server begins them
// anew when it comes up after a crash, and at no other time by itself. Whoever resets them by hand
// only makes commits of before seem to be of another incarnation.
bool QueueIdentityQuestion(PGconn* handle);

class IdentitySink final : public RowSink {
 public:
  explicit IdentitySink(ServerIdentity& identity) : identity_(identity) {}
  absl::Status OnColumns(std::span<const Column>) override { return absl::OkStatus(); }
  absl::Status OnRow(std::span<const Cell> cells) override;

 private:
  ServerIdentity& identity_;
};

// The transaction's 64-bit id as text, NULL if it has written nothing.
inline constexpr char kTransactionIdQuestion[] =
    "SELECT pg_catalog.pg_current_xact_id_if_assigned()::pg_catalog.text";

// 0 for NULL.
class TransactionIdSink final : public RowSink {
 public:
  explicit TransactionIdSink(std::uint64_t& id) : id_(id) {}
  absl::Status OnColumns(std::span<const Column>) override { return absl::OkStatus(); }
  absl::Status OnRow(std::span<const Cell> cells) override;

 private:
  std::uint64_t& id_;
};

}  // namespace emsdb

#endif  // EMSDB_POOL_POSTGRES_SERVER_IDENTITY_H_
