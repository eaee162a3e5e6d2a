#include "server/log.h"

#include <spdlog/async.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace emsdb {
namespace {

constexpr std::size_t kQueue = 8192;

}  // namespace

Log::Log() {
  spdlog::init_thread_pool(kQueue, 1);
  logger_ = spdlog::create_async_nb<spdlog::sinks::stderr_sink_mt>("emsdb");
  logger_->set_pattern(R"({"time":"%Y-%m-%dT%H:%M:%S.%e%z","level":"%l",%v)");
  logger_->flush_on(spdlog::level::info);
}

Log::~Log() {
  logger_.reset();
  spdlog::shutdown();
}

void Log::Write(spdlog::level::level_enum level, const char* event, const Fields& fields) const {
  Fields line = {{"event", event}};
  line.update(fields);
  // Invalid UTF-8 cannot be in JSON: it is replaced, so that a line never fails to be written. The
  // pattern has opened the object already.
  const std::string text = line.dump(-1, ' ', false, Fields::error_handler_t::replace);
  logger_->log(level, "{}", text.substr(1));
}

}  // namespace emsdb
