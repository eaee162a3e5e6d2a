// What operators do to living pools: pause, resume, reconnect, resize. Who may is decided here, and
// every use is told to the journal.
#ifndef EMSDB_SERVER_OPERATORS_H_
#define EMSDB_SERVER_OPERATORS_H_

#include <grpcpp/server_context.h>

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "emsdb/v1/database_service.pb.h"
#include "server/admission.h"

namespace emsdb {

// Whether gRPC's name of a peer is one on this machine: loopback or a Unix socket.
bool IsThisMachine(const std::string& peer);

// PERMISSION_DENIED for callers without the right `operate`; where no tokens file is configured,
// for everybody who is not on this machine. A proxy on this machine is on this machine.
absl::Status CheckMayOperate(const Caller& caller, const std::string& peer);

// What the four RPCs do alike: who asks, whether it may, which database; then `act`, and `status`
// is the pool as it is afterwards.
absl::Status Operate(Gateway& gateway, const char* rpc, const grpc::ServerContextBase& context,
                     const std::string& database, v1::PoolStatus& status,
                     absl::FunctionRef<absl::Status(Database& database)> act);

// The acts. On SQLite the writer, which databases in one file share, is treated as the readers are.
absl::Status Pause(Database& database);
absl::Status Resume(Database& database);
absl::Status Reconnect(Database& database);
absl::Status Resize(Database& database, const v1::ResizePoolRequest& request);

}  // namespace emsdb

#endif  // EMSDB_SERVER_OPERATORS_H_
