#include "pool/postgres/connect_failure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/errors.h"

namespace emsdb {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kTcp[] = "connection to server at \"db7.internal\" (10.1.2.3), port 5432 failed: ";
constexpr char kSocket[] = "connection to server on socket \"/run/pg/.s.PGSQL.5432\" failed: ";

struct Case {
  const char* said;
  const char* shown;
  const char* sqlstate;
};

// What libpq 15 and PostgreSQL 15 say, and what of it a caller may know.
class ConnectFailure : public ::testing::TestWithParam<Case> {};

TEST_P(ConnectFailure, ShowsCallersTheReasonAndNoNames) {
  const auto& [said, shown, sqlstate] = GetParam();
  for (const char* where : {kTcp, kSocket}) {
    const absl::Status status = ConnectFailed(std::string(where) + said);
    const ErrorDetail detail = DetailOf(status);
    EXPECT_EQ(status.message(), shown);
    EXPECT_EQ(detail.sqlstate, sqlstate);
    EXPECT_EQ(detail.reason, "CONNECTION_UNAVAILABLE");
    EXPECT_EQ(detail.stage, Stage::kConnecting);
    EXPECT_THAT(detail.for_operators, HasSubstr(where));
    EXPECT_EQ(OperatorText(status), detail.for_operators);
    EXPECT_THAT(detail.for_operators, Not(HasSubstr("LOCATION")));
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, ConnectFailure,
    ::testing::Values(
        Case{"Connection refused\n\tIs the server running on that host?\n",
             "no connection: Connection refused", ""},
        Case{"No such file or directory\n\tIs the server running locally?\n",
             "no connection: No such file or directory", ""},
        Case{"Connection timed out\n", "no connection: Connection timed out", ""},
        Case{"No route to host\n", "no connection: No route to host", ""},
        Case{"FATAL:  28P01: password authentication failed for user \"ems_app\"\n"
             "LOCATION:  auth_failed, auth.c:326\n",
             "the server refused the gateway's password", "28P01"},
        Case{
            "FATAL:  28000: no pg_hba.conf entry for host \"10.9.9.9\", user \"ems_app\", database "
            "\"ems\", no encryption\nLOCATION:  ClientAuthentication, auth.c:543\n",
            "the server refused the gateway's login", "28000"},
        Case{"FATAL:  28000: role \"ems_app\" does not exist\n",
             "the server refused the gateway's login", "28000"},
        Case{"FATAL:  3D000: database \"ems\" does not exist\nDETAIL:  It seems to have just been "
             "dropped or renamed.\n",
             "the server has no such database", "3D000"},
        Case{"FATAL:  42501: permission denied for database \"ems\"\n",
             "the gateway's login may not use the database", "42501"},
        Case{"FATAL:  53300: too many connections for role \"ems_app\"\n",
             "the server takes no more connections", "53300"},
        Case{"FATAL:  57P03: the database system is starting up\n",
             "the server is starting up, stopping or recovering", "57P03"},
        Case{"FATAL:  42704: unrecognized configuration parameter \"ems.secret\"\n",
             "the server refused the connection", "42704"},
        Case{"fe_sendauth: no password supplied\n",
             "the server wants a password, and there is none", ""},
        Case{"SSL error: certificate verify failed\n", "no TLS with the server", ""},
        Case{"server does not support SSL, but SSL was required\n", "no TLS with the server", ""},
        Case{"root certificate file \"/home/ems/.postgresql/root.crt\" does not exist\n",
             "no TLS with the server", ""},
        Case{"session is read-only\n", "the server takes no writes", ""},
        Case{"server closed the connection unexpectedly\n\tThis probably means ...\n",
             "the server closed the connection", ""},
        Case{"could not make sense of \"ems_app\"\n", "no connection could be made", ""}));

TEST(ConnectFailure, TellsALoginThatIsWrongFromAServerThatIsFull) {
  EXPECT_EQ(DetailOf(ConnectFailed("x failed: FATAL:  28P01: no")).retry, Retry::kNo);
  const absl::Status full = ConnectFailed("x failed: FATAL:  53300: no");
  EXPECT_EQ(full.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(DetailOf(full).retry, Retry::kYes);
}

// A host can be named like anything.
TEST(ConnectFailure, BelievesNoHostsName) {
  EXPECT_EQ(ConnectFailed("connection to server at \"SSL failed: Connection refused\", port 1 "
                          "failed: Network is unreachable\n")
                .message(),
            "no connection: Network is unreachable");
}

// T54: the server speaks in the encoding of its own locale before the login is done.
TEST(ConnectFailure, IsValidTextWhateverBytesTheServerSent) {
  EXPECT_THAT(DetailOf(ConnectFailed("FATAL:  3D000: r\xf4le\n")).for_operators, HasSubstr("r?le"));
}

TEST(ConnectFailure, KeepsTheNameOfAHostThatIsNotFoundFromCallers) {
  const absl::Status status = HostNotResolved("db7.internal", "not found");
  EXPECT_EQ(status.message(), "the server's host name: not found");
  EXPECT_THAT(DetailOf(status).for_operators, HasSubstr("db7.internal"));
}

}  // namespace
}  // namespace emsdb
