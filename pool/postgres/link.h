// One libpqxx connection: it opens, owns and closes the libpq handle that everything else here
// works on. The only place that includes libpqxx.
#ifndef EMSDB_POOL_POSTGRES_LINK_H_
#define EMSDB_POOL_POSTGRES_LINK_H_

#include <libpq-fe.h>

#include <memory>

#include "absl/status/statusor.h"
#include "pool/clock.h"
#include "pool/connection.h"
#include "pool/postgres/conninfo.h"

namespace emsdb {

// Closes with its end. Used by one thread at a time.
class Link {
 public:
  // Opens within `bounds`. libpqxx may never open it again: see link.cc.
  static absl::StatusOr<std::unique_ptr<Link>> Open(const Conninfo& conninfo, const Clock& clock,
                                                    const Bounds& bounds);

  ~Link();
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  PGconn* handle() const { return handle_; }

 private:
  class Session;

  static absl::StatusOr<std::unique_ptr<Link>> OpenOne(const Conninfo& conninfo, const Clock& clock,
                                                       const Bounds& bounds);

  Link(std::unique_ptr<Session> session, PGconn* handle);

  std::unique_ptr<Session> session_;
  PGconn* handle_;
};

}  // namespace emsdb

#endif  // EMSDB_POOL_POSTGRES_LINK_H_
