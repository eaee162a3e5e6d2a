#include "server/reactors.h"

namespace emsdb {

void ReportRefusal(Gateway& gateway, const char* rpc, const grpc::ServerContextBase& context,
                   const absl::Status& status) {
  gateway.journal.Refused(rpc, gateway.authority.IdentifyForLog(context), status);
}

}  // namespace emsdb
