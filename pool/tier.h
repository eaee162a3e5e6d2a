// Named presets of limits, and which of several settings counts for the pool of one database.
#ifndef EMSDB_POOL_TIER_H_
#define EMSDB_POOL_TIER_H_

#include <string>
#include <vector>

#include "pool/limits.h"
#include "pool/settings.h"

namespace emsdb {

struct Tier {
  std::string name;
  int size;
  int overflow;
  Duration timeout;
  Duration recycle;
};

// pilot, medium, large.
const std::vector<Tier>& Tiers();

struct ChosenLimits {
  PoolLimits limits;
  std::string tier;  // the tier that was asked for, also where single settings go before it
};

// The limits for `database`, each value from the first of these that is set:
// TELEHEALTH_DB_POOL_SIZE, DB_POOL_SIZE, TELEHEALTH_DB_TIER, DB_TIER, the default. What is wrong
// goes to `reader`, also in variables that another one goes before: a bad value is never just
// waiting for its day.
ChosenLimits ChooseLimits(SettingReader& reader, const std::string& database);

// The variables that ChooseLimits looks at for every database, and those for `database` alone.
std::vector<std::string> PoolVariables();
std::vector<std::string> PoolVariablesOf(const std::string& database);

// What the variables of `database` begin with: "TELEHEALTH_".
std::string VariablePrefix(const std::string& database);

}  // namespace emsdb

#endif  // EMSDB_POOL_TIER_H_
