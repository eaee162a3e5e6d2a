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

std::optional<Duration> ProvenReads::LimitOf(Key key, std::string_view sql, Access access) {
  {
    MutexLock lock(mutex_);
    if (const Entry* entry = Find(key)) {
      if (!entry->is_read || entry->proofs < kProofs || entry->usual > kFast) return std::nullopt;
      return *std::lower_bound(kLimits.begin(), std::prev(kLimits.end()),
                               entry->usual * kLimitTimes);
    }
  }
  const auto facts = FactsOf(sql);
  const bool is_read =
      facts->looks_like_read && (access == Access::kReadOnly || facts->calls_no_function);
  MutexLock lock(mutex_);
  if (Find(key) == nullptr) Replace(key).is_read = is_read;
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
