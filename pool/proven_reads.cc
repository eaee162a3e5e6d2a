#include "pool/proven_reads.h"

#include <algorithm>
#include <iterator>

#include "absl/hash/hash.h"
#include "pool/statement_facts.h"

namespace emsdb {
namespace {

// What most runs take less than: a slower one raises it by a part of the difference, a faster one
// lowers it by a much smaller part.
constexpr int kRaise = 4;
constexpr int kLower = 64;

}  // namespace

ProvenReads::Key ProvenReads::KeyOf(std::string_view sql, Access access) {
  return {absl::HashOf(sql, access)};
}

ProvenReads::Key ProvenReads::KeyOf(std::span<const GuardedStatement> batch) {
  std::size_t hash = batch.size();
  for (const GuardedStatement& one : batch) hash = absl::HashOf(hash, one.statement.sql);
  return {hash};
}

std::variant<Duration, ProvenReads::Unproved> ProvenReads::KnownLimitOf(Key key) {
  MutexLock lock(mutex_);
  const Entry* entry = Find(key);
  if (entry == nullptr) return Unproved::kUnknown;
  if (!entry->is_read || entry->proofs < kProofs || entry->usual > kFast) return Unproved::kKnown;
  return *std::lower_bound(kLimits.begin(), std::prev(kLimits.end()), entry->usual * kLimitTimes);
}

void ProvenReads::Add(Key key, bool is_read) {
  MutexLock lock(mutex_);
  if (Find(key) == nullptr) Replace(key).is_read = is_read;
}

std::optional<Duration> ProvenReads::LimitOf(Key key, std::string_view sql, Access access) {
  const auto known = KnownLimitOf(key);
  if (const Duration* limit = std::get_if<Duration>(&known)) return *limit;
  if (std::get<Unproved>(known) == Unproved::kUnknown) {
    const auto facts = FactsOf(sql);
    Add(key, facts->looks_like_read && (access == Access::kReadOnly || facts->calls_no_function));
  }
  return std::nullopt;
}

std::optional<Duration> ProvenReads::LimitOf(Key key, std::span<const GuardedStatement> batch) {
  const auto known = KnownLimitOf(key);
  if (const Duration* limit = std::get_if<Duration>(&known)) {
    const Duration share = *limit / static_cast<int>(batch.size());
    return *std::prev(std::upper_bound(std::next(kLimits.begin()), kLimits.end(), share));
  }
  if (std::get<Unproved>(known) == Unproved::kUnknown) {
    Add(key, std::all_of(batch.begin(), batch.end(), [](const GuardedStatement& one) {
          return FactsOf(one.statement.sql)->harmless();
        }));
  }
  return std::nullopt;
}

void ProvenReads::RanAlone(Key key, Duration took, bool harmless) {
  MutexLock lock(mutex_);
  Entry* entry = Find(key);
  if (entry == nullptr || !entry->is_read) return;
  Learn(*entry, took);
  if (!harmless) {
    entry->proofs = -kPenalty;
  } else if (entry->proofs < kProofs) {
    ++entry->proofs;
  }
}

void ProvenReads::RanInGroup(Key key, Duration took) {
  MutexLock lock(mutex_);
  if (Entry* entry = Find(key)) Learn(*entry, took);
}

void ProvenReads::FailedInGroup(Key key) {
  MutexLock lock(mutex_);
  if (Entry* entry = Find(key)) entry->proofs = -kPenalty;
}

void ProvenReads::Learn(Entry& entry, Duration took) {
  if (entry.usual == Duration::zero()) {
    entry.usual = took;
  } else {
    entry.usual += (took - entry.usual) / (took > entry.usual ? kRaise : kLower);
  }
}

ProvenReads::Entry* ProvenReads::Find(Key key) {
  for (std::size_t i = 0; i < kPlaces; ++i) {
    Entry& entry = entries_[(key.hash + i) % kEntries];
    if (entry.used == 0 || entry.hash != key.hash) continue;
    entry.used = ++uses_;
    return &entry;
  }
  return nullptr;
}

ProvenReads::Entry& ProvenReads::Replace(Key key) {
  Entry* oldest = &entries_[key.hash % kEntries];
  for (std::size_t i = 1; i < kPlaces; ++i) {
    Entry& entry = entries_[(key.hash + i) % kEntries];
    if (entry.used < oldest->used) oldest = &entry;
  }
  *oldest = {.hash = key.hash, .used = ++uses_};
  return *oldest;
}

}  // namespace emsdb
