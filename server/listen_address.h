// Where a server listens: whether the text is an address at all, and who can reach it.
#ifndef EMSDB_SERVER_LISTEN_ADDRESS_H_
#define EMSDB_SERVER_LISTEN_ADDRESS_H_

#include <optional>
#include <string>

namespace emsdb {

enum class Reach { kThisMachine, kBeyond };

struct ListenAddress {
  std::string host;  // without brackets; a path for a Unix socket
  int port = 0;      // 0: any that is free; none for a Unix socket
  Reach reach = Reach::kBeyond;
  bool is_unix = false;
};

// "127.0.0.1:50051", "[::1]:50051", "localhost:0", "0.0.0.0:50051", "unix:/run/emsdb.sock"; nothing
// for anything else. Only a loopback address, the name localhost, or a Unix socket is of this
// machine; names are not looked up.
std::optional<ListenAddress> ParseListenAddress(const std::string& text);

}  // namespace emsdb

#endif  // EMSDB_SERVER_LISTEN_ADDRESS_H_
