// The face of CopyService.
#ifndef EMSDB_SERVER_COPY_SERVICE_H_
#define EMSDB_SERVER_COPY_SERVICE_H_

#include "emsdb/v1/copy_service.grpc.pb.h"
#include "server/gateway.h"

namespace emsdb {

class CopyService final : public v1::CopyService::CallbackService {
 public:
  explicit CopyService(Gateway& gateway) : gateway_(gateway) {}

  grpc::ServerReadReactor<v1::CopyInRequest>* CopyIn(grpc::CallbackServerContext* context,
                                                     v1::CopyInResponse* response) override;

 private:
  Gateway& gateway_;
};

}  // namespace emsdb

#endif  // EMSDB_SERVER_COPY_SERVICE_H_
