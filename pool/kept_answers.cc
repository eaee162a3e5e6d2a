#include "pool/kept_answers.h"

#include <utility>

#include "absl/strings/cord.h"

namespace emsdb {
namespace {

// What an entry takes beside its texts: the list and the index; a status, and each of its details.
constexpr std::size_t kOverhead = 512;
constexpr std::size_t kStatusOverhead = 128;
constexpr std::size_t kDetailOverhead = 128;

std::size_t SizeOf(const absl::Status& status) {
  if (status.ok()) return 0;
  std::size_t bytes = kStatusOverhead + status.message().size();
  status.ForEachPayload([&bytes](const auto& name, const absl::Cord& detail) {
    bytes += kDetailOverhead + name.size() + detail.size();
  });
  return bytes;
}

std::size_t SizeOf(const std::string& id, const KeptAnswer& answer) {
  return kOverhead + id.size() + answer.body.size() + SizeOf(answer.status);
}

}  // namespace

void KeptAnswers::Put(const std::string& id, KeptAnswer answer) {
  Drop(id);
  const std::size_t bytes = SizeOf(id, answer);
  const bool too_large = answer.body.size() + SizeOf(answer.status) > limits_.one;
  if (too_large || bytes > limits_.all) return;
  while (bytes_ + bytes > limits_.all) Erase(order_.begin());
  order_.push_back({id, std::move(answer), bytes});
  by_id_[id] = std::prev(order_.end());
  bytes_ += bytes;
}

void KeptAnswers::Drop(const std::string& id) {
  const auto found = by_id_.find(id);
  if (found != by_id_.end()) Erase(found->second);
}

const KeptAnswer* KeptAnswers::Find(const std::string& id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &found->second->answer;
}

void KeptAnswers::Erase(Order::iterator entry) {
  bytes_ -= entry->bytes;
  by_id_.erase(entry->id);
  order_.erase(entry);
}

}  // namespace emsdb
