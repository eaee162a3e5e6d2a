#include "server/credentials.h"

#include "absl/strings/str_format.h"

namespace emsdb {
namespace {

absl::Status Read(const char* variable, const std::string& path, std::string& into) {
  const auto content = ReadWholeFile(path);
  if (!content || content->empty()) {
    return absl::InvalidArgumentError(
        absl::StrFormat("%s: the file %s cannot be read", variable, path));
  }
  into = *content;
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> ServerCredentials(const Config& config) {
  if (!config.tls) return grpc::InsecureServerCredentials();
  const bool mutual = !config.tls->client_ca.empty();
  grpc::SslServerCredentialsOptions options(
      mutual ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
             : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
  grpc::SslServerCredentialsOptions::PemKeyCertPair pair;
  absl::Status status = Read("EMSDB_TLS_CERT", config.tls->certificate, pair.cert_chain);
  if (status.ok()) status = Read("EMSDB_TLS_KEY", config.tls->key, pair.private_key);
  if (status.ok() && mutual) {
    status = Read("EMSDB_TLS_CLIENT_CA", config.tls->client_ca, options.pem_root_certs);
  }
  if (!status.ok()) return status;
  options.pem_key_cert_pairs.push_back(pair);
  return grpc::SslServerCredentials(options);
}

}  // namespace emsdb
