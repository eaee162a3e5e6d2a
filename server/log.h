// Log lines: one JSON object each, on the standard error stream.
#ifndef EMSDB_SERVER_LOG_H_
#define EMSDB_SERVER_LOG_H_

#include <spdlog/logger.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

namespace emsdb {

using Fields = nlohmann::ordered_json;

// Safe for use by any number of threads. Lines go through a bounded queue and a thread of its own:
// a slow terminal never holds up a call; what does not fit in is dropped, the oldest first.
class Log {
 public:
  Log();
  // Writes out what is in the queue.
  ~Log();

  void Info(const char* event, const Fields& fields = Fields::object()) const {
    Write(spdlog::level::info, event, fields);
  }
  void Warn(const char* event, const Fields& fields = Fields::object()) const {
    Write(spdlog::level::warn, event, fields);
  }

 private:
  void Write(spdlog::level::level_enum level, const char* event, const Fields& fields) const;

  std::shared_ptr<spdlog::logger> logger_;
};

}  // namespace emsdb

#endif  // EMSDB_SERVER_LOG_H_
