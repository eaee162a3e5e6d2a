// The face of DatabaseService: what there is, how it does, and what operators do to it. Needs no
// connection.
#ifndef EMSDB_SERVER_DATABASE_SERVICE_H_
#define EMSDB_SERVER_DATABASE_SERVICE_H_

#include "emsdb/v1/database_service.grpc.pb.h"
#include "server/gateway.h"
#include "server/reachability.h"
#include "server/watches.h"

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
  WatchReactor* WatchPoolStatus(grpc::CallbackServerContext* context,
                                const v1::WatchPoolStatusRequest* request) override;

  // For operators.
  grpc::ServerUnaryReactor* PausePool(grpc::CallbackServerContext* context,
                                      const v1::PausePoolRequest* request,
                                      v1::PausePoolResponse* response) override;
  grpc::ServerUnaryReactor* ResumePool(grpc::CallbackServerContext* context,
                                       const v1::ResumePoolRequest* request,
                                       v1::ResumePoolResponse* response) override;
  grpc::ServerUnaryReactor* ReconnectPool(grpc::CallbackServerContext* context,
                                          const v1::ReconnectPoolRequest* request,
                                          v1::ReconnectPoolResponse* response) override;
  grpc::ServerUnaryReactor* ResizePool(grpc::CallbackServerContext* context,
                                       const v1::ResizePoolRequest* request,
                                       v1::ResizePoolResponse* response) override;

  // Ends the streams of WatchPoolStatus, which do not end by themselves, and takes no more.
  void EndWatches() { watches_.EndAll(); }

 private:
  Gateway& gateway_;
  const Reachability& reachability_;
  Watches watches_;
};

}  // namespace emsdb

#endif  // EMSDB_SERVER_DATABASE_SERVICE_H_
