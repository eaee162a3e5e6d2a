// What every service needs of the process: the pools, the journal, whom it knows, and whether it
// still takes calls.
#ifndef EMSDB_SERVER_GATEWAY_H_
#define EMSDB_SERVER_GATEWAY_H_

#include "pool/pool_manager.h"
#include "server/authority.h"
#include "server/journal.h"
#include "server/open_calls.h"
#include "server/result_memory.h"

namespace emsdb {

struct Gateway {
  PoolManager& pools;
  Journal& journal;
  OpenCalls& open_calls;
  Authority& authority;
  Duration slow_reader_timeout;
  ResultMemory& result_memory;
  BindValues bind_values = BindValues::kHidden;
};

}  // namespace emsdb

#endif  // EMSDB_SERVER_GATEWAY_H_
