// Who may call, and what each caller may do, on the embedded engine.

#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <stdexcept>
#include <thread>
#include <vector>

#include "client/client.h"
#include "client/error_info.h"
#include "emsdb/v1/copy_service.grpc.pb.h"
#include "emsdb/v1/database_service.grpc.pb.h"
#include "emsdb/v1/query_service.grpc.pb.h"
#include "emsdb/v1/transaction_service.grpc.pb.h"
#include "tests/end_to_end/certificates.h"
#include "tests/end_to_end/known_callers.h"

namespace emsdb {
namespace {

using client::Client;
using client::ErrorInfoOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class Rights : public ::testing::Test {
 protected:
  Rights() : gateway_(file_.With()) {
    const auto made = As(kCadToken).Query("main", "create table calls (id integer primary key)");
    if (!made.ok()) throw std::runtime_error(made.status().ToString());
  }
  Client As(const std::string& token) const { return ConnectAs(gateway_, token); }
  client::Value CallsThere() const {
    return As(kCadToken).Query("main", "select count(*) from calls")->rows[0][0];
  }
  // Waits until the gateway's log has this text.
  bool Logged(const std::string& text) const {
    for (int i = 0; i < 600 && gateway_.log().find(text) == std::string::npos; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return gateway_.log().find(text) != std::string::npos;
  }

  TokensFileOnDisk file_;
  GatewayProcess gateway_;
};

TEST_F(Rights, LetsNobodyInWithoutAKnownToken) {
  for (const char* token : {"", "token-of-nobody-at-all", "token-of-the-cad-modul"}) {
    const Client client = As(token);
    const std::vector<absl::Status> refused = {
        client.Query("main", "select 1").status(),
        client.Query("no-such-database", "select 1").status(),
        client.StreamQuery("main", "select 1").status(),
        client.ExecuteBatch("main", {{.sql = "select 1"}}).status(),
        client.Begin("main").status(),
        client.ListDatabases().status(),
        client.PoolStatus().status()};
    for (const absl::Status& status : refused) {
      EXPECT_EQ(status.code(), absl::StatusCode::kUnauthenticated) << status;
      EXPECT_EQ(ErrorInfoOf(status).reason, *token == '\0' ? "TOKEN_MISSING" : "TOKEN_UNKNOWN");
    }
  }
}

// Every RPC of every service, also those of later versions: one that forgets to ask is found here.
TEST_F(Rights, LeavesNoRpcOutside) {
  const auto channel = grpc::CreateChannel(gateway_.address(), grpc::InsecureChannelCredentials());
  grpc::GenericStub stub(channel);
  int asked = 0;
  for (const google::protobuf::FileDescriptor* file :
       {v1::QueryRequest::descriptor()->file(), v1::BeginTransactionRequest::descriptor()->file(),
        v1::ListDatabasesRequest::descriptor()->file(), v1::CopyInRequest::descriptor()->file()}) {
    for (int s = 0; s < file->service_count(); ++s) {
      for (int m = 0; m < file->service(s)->method_count(); ++m) {
        const auto* method = file->service(s)->method(m);
        const std::string name = "/" + file->service(s)->full_name() + "/" + method->name();
        grpc::ClientContext context;
        context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
        grpc::CompletionQueue queue;
        const auto call = stub.PrepareCall(&context, name, &queue);
        call->StartCall(nullptr);
        void* tag = nullptr;
        bool ok = false;
        queue.Next(&tag, &ok);
        const grpc::Slice nothing;  // a message without fields; without a slice it were none
        const grpc::ByteBuffer empty(&nothing, 1);
        call->WriteLast(empty, grpc::WriteOptions(), nullptr);
        queue.Next(&tag, &ok);
        grpc::Status status;
        call->Finish(&status, nullptr);
        queue.Next(&tag, &ok);
        EXPECT_EQ(status.error_code(), grpc::UNAUTHENTICATED)
            << name << ": " << status.error_code() << " " << status.error_message();
        ++asked;
        queue.Shutdown();
        while (queue.Next(&tag, &ok)) {
        }
      }
    }
  }
  EXPECT_GE(asked, 17);
}

TEST_F(Rights, AnswersHealthToEverybody) {
  EXPECT_EQ(*As("").Health("main"), client::HealthStatus::kServing);
}

TEST_F(Rights, ShowsACallerItsOwnDatabasesOnly) {
  const Client fire = As(kFireToken);
  const auto listed = fire.ListDatabases();
  ASSERT_EQ(listed->size(), 1U);
  EXPECT_EQ(listed->front().name(), "fire");
  const auto pools = fire.PoolStatus();
  ASSERT_EQ(pools->size(), 1U);
  EXPECT_EQ(pools->front().database(), "fire");
  EXPECT_EQ(As(kCadToken).ListDatabases()->size(), 4U);
}

TEST_F(Rights, KeepsACallerFromDatabasesThatAreNotItsOwn) {
  const Client fire = As(kFireToken);
  EXPECT_TRUE(fire.Query("fire", "select 1").ok());
  for (const char* database : {"", "main", "hems", "no-such-database"}) {
    const std::vector<absl::Status> refused = {
        fire.Query(database, "select 1").status(), fire.StreamQuery(database, "select 1").status(),
        fire.ExecuteBatch(database, {{.sql = "select 1"}}).status(), fire.Begin(database).status()};
    for (const absl::Status& status : refused) {
      EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied) << status;
      EXPECT_EQ(ErrorInfoOf(status).reason, "DATABASE_FORBIDDEN");
      EXPECT_THAT(std::string(status.message()), Not(HasSubstr("telehealth")));
    }
  }
  EXPECT_EQ(fire.PoolStatus("main").status().code(), absl::StatusCode::kPermissionDenied);
}

// T67
// T21, T67
TEST_F(Rights, RefuseACallerThatOnlyReadsWhatRunsOutsideOfTransactions) {
  for (const char* sql : {"vacuum", "insert into calls values (1)", "select 1"}) {
    const absl::Status status =
        As(kReportsToken).Query("main", sql, {}, {.wrapping = client::Wrapping::kNone}).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied) << sql << status;
    EXPECT_EQ(ErrorInfoOf(status).reason, "READ_ONLY_CALLER") << sql;
  }
  EXPECT_EQ(CallsThere(), client::Value(0));
}

TEST_F(Rights, LetsTheDatabaseRefuseEveryWriteOfACallerThatOnlyReads) {
  const Client reports = As(kReportsToken);
  EXPECT_TRUE(reports.Query("main", "select * from calls").ok());
  const std::vector<absl::Status> refused = {
      reports.Query("main", "insert into calls values (1)").status(),
      reports.Query("main", "with n(i) as (select 2) insert into calls select i from n").status(),
      reports.ExecuteBatch("main", {{.sql = "insert into calls values (3)"}}).status(),
      reports.Query("main", "create table more (id integer)").status()};
  for (const absl::Status& status : refused) {
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  }
  auto begun = reports.Begin("main");
  ASSERT_TRUE(begun.ok()) << begun.status();
  EXPECT_FALSE(begun->Query("pragma query_only = 0").ok());
  EXPECT_FALSE(begun->Query("insert into calls values (4)").ok());
  auto stream = reports.StreamQuery("main", "insert into calls values (5) returning id");
  client::Row row;
  EXPECT_FALSE(stream.ok() && stream->Next(row).ok());
  EXPECT_EQ(CallsThere(), client::Value(0));
}

// The streams that write: a transaction of its own, and rows into a table.
class StreamRights : public Rights {
 protected:
  StreamRights()
      : channel_(grpc::CreateChannel(gateway_.address(), grpc::InsecureChannelCredentials())) {}

  // Begins, inserts a call, commits; the first error.
  grpc::Status Transact(const std::string& token, const std::string& database) const {
    grpc::ClientContext context;
    context.AddMetadata("authorization", "Bearer " + token);
    const auto stub = v1::TransactionService::NewStub(channel_);
    const auto stream = stub->Transact(&context);
    v1::TransactRequest begin;
    begin.mutable_begin()->set_database(database);
    v1::TransactRequest insert;
    insert.mutable_statement()->mutable_statement()->set_sql("insert into calls values (1)");
    v1::TransactRequest commit;
    commit.mutable_commit();
    grpc::Status failed;
    v1::TransactResponse response;
    for (const auto& request : {begin, insert, commit}) {
      if (!stream->Write(request) || !stream->Read(&response)) break;
      while (response.has_committing() && stream->Read(&response)) {
      }
      if (response.has_error()) {
        failed = grpc::Status(static_cast<grpc::StatusCode>(response.error().code()),
                              response.error().message());
        break;
      }
    }
    stream->WritesDone();
    const grpc::Status ended = stream->Finish();
    return failed.ok() ? ended : failed;
  }

  grpc::Status Copy(const std::string& token, const std::string& database) const {
    grpc::ClientContext context;
    context.AddMetadata("authorization", "Bearer " + token);
    const auto stub = v1::CopyService::NewStub(channel_);
    v1::CopyInResponse response;
    const auto stream = stub->CopyIn(&context, &response);
    v1::CopyInRequest request;
    request.mutable_start()->set_database(database);
    request.mutable_start()->set_table("calls");
    request.add_rows()->add_values()->set_int64_value(2);
    request.mutable_end()->set_row_count(1);
    stream->Write(request);
    stream->WritesDone();
    return stream->Finish();
  }

  std::shared_ptr<grpc::Channel> channel_;
};

TEST_F(StreamRights, AreThoseOfEveryOtherCall) {
  EXPECT_TRUE(Transact(kCadToken, "main").ok());
  EXPECT_TRUE(Copy(kCadToken, "main").ok());
  EXPECT_EQ(CallsThere(), client::Value(2));
  EXPECT_EQ(Transact(kFireToken, "main").error_code(), grpc::PERMISSION_DENIED);
  EXPECT_EQ(Copy(kFireToken, "main").error_code(), grpc::PERMISSION_DENIED);
  EXPECT_EQ(Transact(kReportsToken, "main").error_code(), grpc::FAILED_PRECONDITION);
  EXPECT_EQ(Copy(kReportsToken, "main").error_code(), grpc::PERMISSION_DENIED);
  EXPECT_EQ(CallsThere(), client::Value(2));
}

TEST_F(Rights, BindsATransactionToTheCallerOfItsToken) {
  auto begun = As(kCadToken).Begin("main");
  ASSERT_TRUE(begun.ok());
  const auto stub = v1::TransactionService::NewStub(
      grpc::CreateChannel(gateway_.address(), grpc::InsecureChannelCredentials()));
  const auto commit_as = [&](const std::string& token, const char* label) {
    grpc::ClientContext context;
    context.AddMetadata("authorization", "Bearer " + token);
    context.AddMetadata("emsdb-caller", label);
    v1::CommitTransactionRequest request;
    request.set_transaction_id(begun->id());
    v1::CommitTransactionResponse response;
    return stub->CommitTransaction(&context, request, &response);
  };
  EXPECT_FALSE(commit_as(kOperatorToken, "cad").ok());
  EXPECT_TRUE(begun->Query("insert into calls values (1)").ok());
  EXPECT_TRUE(commit_as(kCadToken, "somebody").ok());
  EXPECT_EQ(CallsThere(), client::Value(1));
}

TEST_F(Rights, ReadsTheFileAnewWhenTold) {
  file_.Write(R"({"callers": [{"caller": "new", "tokens": ["token-of-the-new-one"],
                               "databases": "*"}]})");
  EXPECT_TRUE(As(kCadToken).Query("main", "select 1").ok());
  gateway_.Signal(SIGHUP);
  ASSERT_TRUE(Logged("tokens file read"));
  EXPECT_TRUE(As("token-of-the-new-one").Query("main", "select 1").ok());
  EXPECT_EQ(As(kCadToken).Query("main", "select 1").status().code(),
            absl::StatusCode::kUnauthenticated);
}

TEST_F(Rights, KeepsTheOldCallersWhereTheNewFileIsBad) {
  file_.Write(R"({"callers": [{"caller": "new", "token": ["token-of-the-new-one"]}]})");
  gateway_.Signal(SIGHUP);
  ASSERT_TRUE(Logged("tokens file not taken over"));
  EXPECT_TRUE(Logged("which is no key here"));
  EXPECT_TRUE(As(kCadToken).Query("main", "select 1").ok());
  EXPECT_FALSE(As("token-of-the-new-one").Query("main", "select 1").ok());
}

TEST_F(Rights, ShowsNoTokenInAnyLogLine) {
  As("token-of-nobody-at-all").Query("main", "select 1").IgnoreError();
  As(kCadToken).Query("main", "selec").IgnoreError();
  file_.Write("token-of-a-bad-file");
  gateway_.Signal(SIGHUP);
  ASSERT_TRUE(Logged("tokens file not taken over"));
  EXPECT_TRUE(Logged(R"("caller":"cad","caller_proven":true)"));
  EXPECT_TRUE(Logged("TOKEN_UNKNOWN"));
  gateway_.Terminate();
  EXPECT_THAT(gateway_.log(), Not(HasSubstr("token-of-")));
}

TEST(CertificateRights, HoldForTheNamesThatTheFileKnows) {
  const Certificates certificates;
  const TokensFileOnDisk file(R"({"callers": [
    {"caller": "cad", "certificates": ["cad-api"], "databases": ["fire"], "read_only": true},
    {"caller": "by-token", "tokens": ["token-of-the-cad-module"], "databases": ["main"]}]})");
  GatewayProcess gateway(file.With({{"EMSDB_TLS_CERT", certificates.File("server.pem")},
                                    {"EMSDB_TLS_KEY", certificates.File("server.key")},
                                    {"EMSDB_TLS_CLIENT_CA", certificates.File("ca.pem")}}));
  const auto connect = [&](const std::string& name, const std::string& token) {
    return *Client::Connect(
        {.address = gateway.address(),
         .tls = client::Tls{.roots = ReadText(certificates.File("ca.pem")),
                            .certificate = ReadText(certificates.File(name + ".pem")),
                            .key = ReadText(certificates.File(name + ".key"))},
         .token = token});
  };
  const Client cad = connect("cad-api", "");
  EXPECT_TRUE(cad.Query("fire", "select 1").ok());
  EXPECT_EQ(cad.Query("fire", "create table t (id integer)").status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(cad.Query("main", "select 1").status().code(), absl::StatusCode::kPermissionDenied);
  // A certificate that the authority signed and the file does not know proves nobody.
  const Client other = connect("server", "");
  EXPECT_EQ(other.Query("fire", "select 1").status().code(), absl::StatusCode::kUnauthenticated);
  EXPECT_TRUE(connect("server", kCadToken).Query("main", "select 1").ok());
}

TEST(TokensAtStart, EndTheStartWhereTheFileIsBadAndShowNoToken) {
  const TokensFileOnDisk file(R"({"callers": [{"caller": "a", "tokens": ["sekret"]}]})");
  const Ended ended = RunProgram(GatewayProgram(), {"--check-config"}, file.With());
  EXPECT_EQ(ended.status, 1);
  EXPECT_THAT(ended.err, HasSubstr("EMSDB_TOKENS_FILE: callers[0].tokens[0]"));
  EXPECT_THAT(ended.err, HasSubstr("EMSDB_TOKENS_FILE: callers[0].databases"));
  EXPECT_THAT(ended.err + ended.out, Not(HasSubstr("sekret")));
}

TEST(TokensAtStart, TakeNoPlainTextBeyondThisMachineUnlessTold) {
  const TokensFileOnDisk file;
  const Ended refused =
      RunProgram(GatewayProgram(), {"--check-config"}, file.With({{"EMSDB_LISTEN", "0.0.0.0:1"}}));
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, HasSubstr("EMSDB_INSECURE"));
  const Ended told =
      RunProgram(GatewayProgram(), {"--check-config"},
                 file.With({{"EMSDB_LISTEN", "0.0.0.0:1"}, {"EMSDB_INSECURE", "1"}}));
  EXPECT_EQ(told.status, 0) << told.err;
  EXPECT_THAT(told.out, HasSubstr("bearer tokens travel in plain text"));
  EXPECT_THAT(told.out, HasSubstr("4 of EMSDB_TOKENS_FILE, nobody else"));
}

}  // namespace
}  // namespace emsdb
