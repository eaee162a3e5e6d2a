// The face of DatabaseService: what there is, and how it does. Needs no connection.
#ifndef EMSDB_SERVER_DATABASE_SERVICE_H_
#define EMSDB_SERVER_DATABASE_SERVICE_H_

#include "emsdb/v1/database_service.grpc.pb.h"
#include "server/gateway.h"
#include "server/reachability.h"

namespace emsdb {

class DatabaseService final : public v1::DatabaseService::CallbackService {
 public:
  DatabaseService(Gateway& gateway, const Reachability& reachability)
      : gateway_(gateway), reachability_(reachability) {}

  grpc::ServerUnaryReactor* ListDatabases(grpc::CallbackServerContext* context,
                                          const v1::ListDatabasesRequest* request,
                                          v1::ListDatabasesResponse* response) override;
  grpc::ServerUnaryReactor* GetPoolStatus(grpc::CallbackServerContext* context,
                                          const v1::GetPoolStatusRequest* request,
                                          v1::GetPoolStatusResponse* response) override;

 private:
  Gateway& gateway_;
  const Reachability& reachability_;
};

}  // namespace emsdb

#endif  // EMSDB_SERVER_DATABASE_SERVICE_H_
