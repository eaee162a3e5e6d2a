#include "server/operators.h"

#include <gtest/gtest.h>

#include "pool/errors.h"

namespace emsdb {
namespace {

TEST(IsThisMachine, KnowsLoopbackAndUnixSockets) {
  for (const char* peer :
       {"ipv4:127.0.0.1:50051", "ipv4:127.8.9.1:1", "ipv6:[::1]:50051", "ipv6:%5B::1%5D:50051",
        "ipv6:%5b::1%5d:50051", "ipv6:[::ffff:127.0.0.1]:9", "unix:", "unix:/run/emsdb.sock",
        "unix-abstract:emsdb"}) {
    EXPECT_TRUE(IsThisMachine(peer)) << peer;
  }
}

TEST(IsThisMachine, TakesNothingElseForIt) {
  for (const char* peer :
       {"", "ipv4:", "ipv4:10.0.0.1:127", "ipv4:128.0.0.1:1", "ipv6:[::2]:1", "ipv6:[::]:1",
        "ipv6:[2001:db8::1]:1", "ipv6:[::ffff:10.127.0.1]:1", "ipv6:[fe80::1%25lo]:1", "vsock:1:2",
        "127.0.0.1:1", "unknown", "ipv41:127.0.0.1:1"}) {
    EXPECT_FALSE(IsThisMachine(peer)) << peer;
  }
}

Caller With(Operating operating) {
  auto rights = std::make_shared<CallerRights>();
  rights->name = "cad";
  rights->operating = operating;
  return {.name = "cad", .proof = Caller::Proof::kToken, .rights = std::move(rights)};
}

TEST(CheckMayOperate, GoesByTheRightWhereCallersAreKnown) {
  EXPECT_TRUE(CheckMayOperate(With(Operating::kAllowed), "ipv4:10.0.0.1:1").ok());
  const absl::Status refused = CheckMayOperate(With(Operating::kForbidden), "unix:");
  EXPECT_EQ(refused.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(DetailOf(refused).reason, "OPERATING_FORBIDDEN");
}

TEST(CheckMayOperate, GoesByTheMachineWhereTheyAreNot) {
  EXPECT_TRUE(CheckMayOperate({}, "ipv4:127.0.0.1:1").ok());
  Caller certificate{.name = "cad", .proof = Caller::Proof::kCertificate};
  EXPECT_FALSE(CheckMayOperate(certificate, "ipv4:10.0.0.1:1").ok());
}

}  // namespace
}  // namespace emsdb
