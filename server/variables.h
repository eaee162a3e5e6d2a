// The names of the settings: which there are, and what to say of a name that is none.
#ifndef EMSDB_SERVER_VARIABLES_H_
#define EMSDB_SERVER_VARIABLES_H_

#include <string>
#include <vector>

#include "pool/settings.h"

namespace emsdb {

// Every variable that this version uses; without the *_FILE forms, and without what may be set for
// one database alone. Sorted.
std::vector<std::string> KnownVariables();

// The variables that may hold the URL of `database`: "DATABASE_URL" for main,
// "BILLING_DATABASE_URL" for billing.
std::string UrlVariable(const std::string& database);

// Looks for slips of the pen. An EMSDB_ variable that does not exist is a complaint: the prefix is
// ours, and a security setting that is ignored would be a lie. Under other prefixes variables may
// belong to other programs, so what is near to one of ours is only a warning. `databases` are all
// logical databases.
std::vector<std::string> CheckNames(SettingReader& reader,
                                    const std::vector<std::string>& databases);

}  // namespace emsdb

#endif  // EMSDB_SERVER_VARIABLES_H_
