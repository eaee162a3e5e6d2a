// The connection URI as libpq's parameters, with our defaults for what it leaves open.
#ifndef EMSDB_POOL_POSTGRES_CONNINFO_H_
#define EMSDB_POOL_POSTGRES_CONNINFO_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "pool/clock.h"

namespace emsdb {

// Holds the password: never shown as a whole.
class Conninfo {
 public:
  // INVALID_ARGUMENT without a word of the URI, which has the password in it.
  static absl::StatusOr<Conninfo> Parse(const std::string& uri);

  // Null-terminated arrays for PQconnectStartParams; valid while this lives.
  std::vector<const char*> Keywords() const;
  std::vector<const char*> Values() const;

  // `connect_timeout`, if the URI gives one.
  std::optional<Duration> connect_timeout() const;
  const std::string& application_name() const { return parameters_.at("application_name"); }

  // The text with the password, wherever it appears, replaced.
  std::string Redact(std::string text) const;

 private:
  void SetDefaults();

  std::map<std::string, std::string> parameters_;
};

}  // namespace emsdb

#endif  // EMSDB_POOL_POSTGRES_CONNINFO_H_
