// The contract suite on PostgreSQL.
#include <memory>

#include "pool/postgres/connector.h"
#include "tests/contract/connector_contract.h"
#include "tests/support/postgres_url.h"

namespace emsdb {
namespace {

class PostgresContractDatabase final : public ContractDatabase {
 public:
  explicit PostgresContractDatabase(std::unique_ptr<Connector> connector)
      : connector_(std::move(connector)) {}

  const ContractDialect& dialect() const override { return dialect_; }
  absl::StatusOr<std::unique_ptr<Connection>> OpenWriter() override {
    return connector_->Open(Soon());
  }
  absl::StatusOr<std::unique_ptr<Connection>> OpenReader() override {
    return connector_->Open(Soon());
  }

 private:
  ContractDialect dialect_;
  std::unique_ptr<Connector> connector_;
};

std::unique_ptr<ContractDatabase> MakePostgresDatabase() {
  auto connector = PostgresConnector::Create({.uri = TestPostgresUrl()}, Clock::Real());
  if (!connector.ok()) std::abort();
  return std::make_unique<PostgresContractDatabase>(*std::move(connector));
}

INSTANTIATE_TEST_SUITE_P(Postgres, ConnectorContract,
                         testing::Values(ContractFactory{"Postgres", &MakePostgresDatabase}),
                         testing::PrintToStringParamName());

}  // namespace
}  // namespace emsdb
