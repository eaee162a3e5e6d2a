#include "server/pool_log.h"

#include "pool/errors.h"

namespace emsdb {
namespace {

double InSeconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace

void PoolLog::HeldLong(const Holder& who, Duration held) {
  counts_.HeldLong(who, held);
  log_.Warn("connection held for long", {{"database", database_},
                                         {"caller", who.caller},
                                         {"statement", who.statement},
                                         {"held_s", InSeconds(held)}});
}

void PoolLog::WentDown(const absl::Status& why) {
  counts_.WentDown(why);
  log_.Warn("pool down, calls fail at once",
            {{"database", database_}, {"message", OperatorText(why)}});
}

void PoolLog::CameBack(Duration after) {
  counts_.CameBack(after);
  log_.Info("pool back", {{"database", database_}, {"after_s", InSeconds(after)}});
}

}  // namespace emsdb
