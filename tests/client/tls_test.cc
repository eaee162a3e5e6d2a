// The real transport over TLS, with a certificate made for this run.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "client/client.h"
#include "client/error_info.h"
#include "client/outcome.h"
#include "tests/support/fake_gateway.h"
#include "tests/support/temporary_directory.h"

namespace emsdb::client {
namespace {

struct KeyPair {
  std::string certificate;
  std::string key;
};

std::string Contents(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// Signed by itself, so it is its own root.
KeyPair MakeKeyPair() {
  const TemporaryDirectory directory;
  const std::string command =
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
      "-subj /CN=gateway.test -addext subjectAltName=DNS:gateway.test -keyout " +
      directory.File("key.pem") + " -out " + directory.File("cert.pem") + " 2>" +
      directory.File("log");
  const int status = std::system(command.c_str());  // NOLINT(concurrency-mt-unsafe)
  EXPECT_EQ(status, 0) << Contents(directory.File("log"));
  return {.certificate = Contents(directory.File("cert.pem")),
          .key = Contents(directory.File("key.pem"))};
}

const KeyPair& Pair() {
  static const auto& pair = *new KeyPair(MakeKeyPair());
  return pair;
}

enum class Clients { kAny, kWithCertificate };

struct TlsGateway {
  explicit TlsGateway(Clients clients) : gateway(Script(), Credentials(clients)) {}

  static FakeScript Script() {
    return {.query = [](const auto&, auto&) { return grpc::Status::OK; }};
  }

  static std::shared_ptr<grpc::ServerCredentials> Credentials(Clients clients) {
    grpc::SslServerCredentialsOptions options(
        clients == Clients::kAny ? GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE
                                 : GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
    options.pem_root_certs = Pair().certificate;
    options.pem_key_cert_pairs.push_back({Pair().key, Pair().certificate});
    return grpc::SslServerCredentials(options);
  }

  absl::Status Write(const std::optional<Tls>& tls) const {
    const auto client =
        Client::Connect({.address = gateway.address(), .tls = tls, .retry = {.max_attempts = 1}});
    return client->Query("main", "insert into t values (1)").status();
  }

  FakeGateway gateway;
};

void ExpectNothingWasSent(const absl::Status& status) {
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_EQ(ErrorInfoOf(status).reason, kGatewayUnreachable);
}

TEST(Tls, ConnectsToAGatewayWhoseRootItKnows) {
  const TlsGateway gateway(Clients::kAny);
  const absl::Status status =
      gateway.Write(Tls{.roots = Pair().certificate, .server_name = "gateway.test"});
  EXPECT_TRUE(status.ok()) << status;
}

TEST(Tls, SendsNothingToAGatewayItCannotVerify) {
  const TlsGateway gateway(Clients::kAny);
  ExpectNothingWasSent(gateway.Write(Tls{.server_name = "gateway.test"}));
  ExpectNothingWasSent(
      gateway.Write(Tls{.roots = Pair().certificate, .server_name = "other.test"}));
}

TEST(Tls, SendsNothingInPlainTextToAGatewayThatWantsTls) {
  const TlsGateway gateway(Clients::kAny);
  ExpectNothingWasSent(gateway.Write(std::nullopt));
}

TEST(Tls, ShowsItsCertificateWhereTheGatewayWantsOne) {
  const TlsGateway gateway(Clients::kWithCertificate);
  const absl::Status status = gateway.Write(Tls{.roots = Pair().certificate,
                                                .certificate = Pair().certificate,
                                                .key = Pair().key,
                                                .server_name = "gateway.test"});
  EXPECT_TRUE(status.ok()) << status;
  ExpectNothingWasSent(
      gateway.Write(Tls{.roots = Pair().certificate, .server_name = "gateway.test"}));
}

}  // namespace
}  // namespace emsdb::client
