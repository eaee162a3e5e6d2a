#include "pool/pool_manager.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "pool/errors.h"
#include "pool/statement_facts.h"

namespace emsdb {
namespace {

constexpr char kMemory[] = ":memory:";
// Readers of one SQLite file: more than cores, since some wait for the disk; few enough that their
// page caches stay small.
constexpr int kSqliteReaders = 8;

// An embedded database has no network to lose and no server to spare: connections are kept for
// ever and proved by a look at the file.
PoolLimits SqliteLimits(const PoolLimits& configured, int size) {
  PoolLimits limits;
  limits.size = size;
  limits.overflow = 0;
  limits.recycle = std::nullopt;
  limits.pre_ping_window = kNever.time_since_epoch();
  limits.max_waiters = configured.max_waiters;
  limits.refuse_hopeless = configured.refuse_hopeless;
  limits.group_reads = configured.group_reads;
  return limits;
}

// What comes to the writer of a file is hardly ever a read.
PoolLimits SqliteWriterLimits(const DatabaseSettings& settings) {
  PoolLimits limits = SqliteLimits(settings.limits, 1);
  if (settings.connection != kMemory) limits.group_reads = false;
  return limits;
}

}  // namespace

Database::Route Database::RouteFor(Access access, std::string_view sql) {
  if (readers_ == writer_) return {*writer_, nullptr};
  if (access == Access::kReadOnly) return {*readers_, nullptr};
  if (FactsOf(sql)->looks_like_read) return {*readers_, writer_.get()};
  return {*writer_, nullptr};
}

PoolManager::PoolManager(const std::vector<DatabaseSettings>& databases,
                         const ConnectorFactory& connectors, Clock& clock,
                         const ObserverFactory& observers)
    : clock_(clock), upkeep_(clock) {
  for (const DatabaseSettings& settings : databases) {
    PoolObserver& observer = observers(settings.name);
    if (settings.engine == Engine::kSqlite) {
      AddSqlite(settings, connectors, observer);
    } else {
      PoolLimits limits = settings.limits;
      limits.group_batches = limits.group_reads;
      auto pool = MakePool(settings, limits, Role::kReadWrite, connectors, observer);
      databases_[settings.name] = std::make_unique<Database>(settings, pool, pool);
    }
  }
  transactions_ = std::make_unique<Transactions>(clock, upkeep_);
}

PoolManager::~PoolManager() {
  Drain(clock_.Now());
  // What was stopped still ends in the workers' threads: it checks its transaction in, and goes on
  // from a reader to its writer. So the transactions outlive the pools, and a writer, which was
  // made before its readers, outlives them.
  databases_.clear();
  sqlite_writers_.clear();
  while (!pools_.empty()) pools_.pop_back();
}

void PoolManager::AddSqlite(const DatabaseSettings& settings, const ConnectorFactory& connectors,
                            PoolObserver& observer) {
  std::shared_ptr<Pool>& writer = sqlite_writers_[settings.connection];
  if (!writer) {
    writer =
        MakePool(settings, SqliteWriterLimits(settings), Role::kReadWrite, connectors, observer);
  }
  const auto readers = settings.connection == kMemory
                           ? writer
                           : MakePool(settings, SqliteLimits(settings.limits, kSqliteReaders),
                                      Role::kReader, connectors, observer);
  databases_[settings.name] = std::make_unique<Database>(settings, readers, writer);
}

std::shared_ptr<Pool> PoolManager::MakePool(const DatabaseSettings& settings,
                                            const PoolLimits& limits, Role role,
                                            const ConnectorFactory& connectors,
                                            PoolObserver& observer) {
  pools_.push_back(
      std::make_shared<Pool>(limits, connectors(settings, role), clock_, upkeep_, observer));
  return pools_.back();
}

absl::StatusOr<Database*> PoolManager::Find(const std::string& name) {
  const auto found = databases_.find(name.empty() ? "main" : name);
  if (found != databases_.end()) return found->second.get();
  std::string known;
  for (const auto& [each, database] : databases_) {
    known += absl::StrFormat("%s%s", known.empty() ? "" : ", ", each);
  }
  return WithDetail(absl::NotFoundError(absl::StrFormat(
                        "database: no logical database of this name; there are: %s", known)),
                    {.reason = "UNKNOWN_DATABASE", .field = "database", .retry = Retry::kNo});
}

std::vector<Database*> PoolManager::databases() {
  std::vector<Database*> all;
  for (const auto& [name, database] : databases_) all.push_back(database.get());
  return all;
}

bool PoolManager::Drain(Instant deadline) {
  transactions_->Drain();
  // All doors are shut at once, but for those that lead from a reader to its writer.
  const auto is_writer = [&](const std::shared_ptr<Pool>& pool) {
    return std::any_of(sqlite_writers_.begin(), sqlite_writers_.end(),
                       [&](const auto& writer) { return writer.second == pool; });
  };
  const Instant now = clock_.Now();
  for (const auto& pool : pools_) {
    if (!is_writer(pool)) pool->Drain(now);
  }
  bool clean = true;
  for (auto pool = pools_.rbegin(); pool != pools_.rend(); ++pool) {
    clean = (*pool)->Drain(deadline) && clean;
  }
  if (clean) return true;
  for (const auto& pool : pools_) pool->Stop();
  return false;
}

}  // namespace emsdb
