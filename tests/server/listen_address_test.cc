#include "server/listen_address.h"

#include <gtest/gtest.h>

namespace emsdb {
namespace {

struct Row {
  std::string text;
  std::string host;
  int port;
};

class Loopback : public testing::TestWithParam<Row> {};

TEST_P(Loopback, IsOfThisMachine) {
  const std::optional<ListenAddress> address = ParseListenAddress(GetParam().text);
  ASSERT_TRUE(address);
  EXPECT_EQ(address->reach, Reach::kThisMachine);
  EXPECT_EQ(address->host, GetParam().host);
  EXPECT_EQ(address->port, GetParam().port);
}

INSTANTIATE_TEST_SUITE_P(Table, Loopback,
                         testing::Values(Row{"127.0.0.1:50051", "127.0.0.1", 50051},
                                         Row{"127.8.9.10:1", "127.8.9.10", 1},
                                         Row{"localhost:0", "localhost", 0},
                                         Row{"[::1]:65535", "::1", 65535},
                                         Row{"[0:0:0:0:0:0:0:1]:5", "0:0:0:0:0:0:0:1", 5},
                                         Row{"unix:/run/emsdb.sock", "/run/emsdb.sock", 0}));

class FarReaching : public testing::TestWithParam<Row> {};

TEST_P(FarReaching, IsBeyondThisMachine) {
  const std::optional<ListenAddress> address = ParseListenAddress(GetParam().text);
  ASSERT_TRUE(address);
  EXPECT_EQ(address->reach, Reach::kBeyond);
  EXPECT_EQ(address->host, GetParam().host);
  EXPECT_EQ(address->port, GetParam().port);
}

INSTANTIATE_TEST_SUITE_P(Table, FarReaching,
                         testing::Values(Row{"0.0.0.0:50051", "0.0.0.0", 50051},
                                         Row{"[::]:50051", "::", 50051},
                                         Row{"10.0.0.1:1", "10.0.0.1", 1},
                                         Row{"128.0.0.1:1", "128.0.0.1", 1},
                                         Row{"gateway.internal:1", "gateway.internal", 1},
                                         Row{"127.0.0.1.example.com:1", "127.0.0.1.example.com", 1},
                                         Row{"localhost.example.com:1", "localhost.example.com", 1},
                                         Row{"[::ffff:10.0.0.1]:1", "::ffff:10.0.0.1", 1}));

class NoAddress : public testing::TestWithParam<std::string> {};

TEST_P(NoAddress, IsRefused) { EXPECT_FALSE(ParseListenAddress(GetParam())); }

INSTANTIATE_TEST_SUITE_P(Table, NoAddress,
                         testing::Values("", "50051", ":50051", "127.0.0.1", "127.0.0.1:",
                                         "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:5 ",
                                         "127.0.0.1:http", "::1:50051", "[::1]", "[::1]50051",
                                         "[::1:50051", "[host]:1", "unix:", "http://host:1",
                                         "host:1:2", "us er:1", "unix:" + std::string(108, 'x')));

}  // namespace
}  // namespace emsdb
