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

  // One for each host that the URI lists, in its order. Whoever opens tries them one after the
  // other, so that a silent one cannot take the time of the others. Not split where libpq must see
  // all of them at once (target_session_attrs=prefer-standby).
  std::vector<Conninfo> EachHost() const;
  // The host's name, if libpq would have to look it up; and the same with addresses for it.
  std::optional<std::string> host_name() const;
  Conninfo WithAddresses(const std::vector<std::string>& addresses) const;

  // The text with the password, wherever it appears, replaced.
  std::string Redact(std::string text) const;

 private:
  void SetDefaults();
  void Set(const std::string& keyword, std::string value);  // "" takes it out
  std::string Get(const std::string& keyword) const;

  std::map<std::string, std::string> parameters_;
};

}  // namespace emsdb

#endif  // EMSDB_POOL_POSTGRES_CONNINFO_H_
