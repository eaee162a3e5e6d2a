// A client that asks once: what the gateway answered is what the test sees.
#ifndef EMSDB_TESTS_END_TO_END_CONNECT_H_
#define EMSDB_TESTS_END_TO_END_CONNECT_H_

#include <string>

#include "client/client.h"
#include "tests/support/gateway_process.h"

namespace emsdb {

inline client::Client Connect(const GatewayProcess& gateway, const std::string& caller = "test") {
  return *client::Client::Connect(
      {.address = gateway.address(), .caller = caller, .retry = {.max_attempts = 1}});
}

}  // namespace emsdb

#endif  // EMSDB_TESTS_END_TO_END_CONNECT_H_
