// The part of the settings that says which logical databases there are and where each one lives.
#ifndef EMSDB_SERVER_CONFIG_DATABASES_H_
#define EMSDB_SERVER_CONFIG_DATABASES_H_

#include <filesystem>
#include <string>
#include <vector>

#include "server/config.h"

namespace emsdb {

// main, telehealth, fire, hems, and the fit ones of EMSDB_DATABASES in their order.
std::vector<std::string> DatabaseNames(SettingReader& reader);

// Their settings, in the same order; without those that `reader` got a complaint about.
std::vector<DatabaseSettings> ReadDatabases(SettingReader& reader,
                                            const std::vector<std::string>& names,
                                            const Config& config, const FileReader& read_file);

}  // namespace emsdb

#endif  // EMSDB_SERVER_CONFIG_DATABASES_H_
