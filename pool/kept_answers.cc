#include "pool/kept_answers.h"

#include <utility>

namespace emsdb {
namespace {

// What an entry takes beside its texts: the list, the index, and a status with its details.
constexpr std::size_t kOverhead = 512;
constexpr std::size_t kStatusOverhead = 1024;

std::size_t SizeOf(const std::string& id, const KeptAnswer& answer) {
  const std::size_t status =
      answer.status.ok() ? 0 : kStatusOverhead + answer.status.message().size();
  return kOverhead + id.size() + answer.body.size() + status;
}

}  // namespace

void KeptAnswers::Put(const std::string& id, KeptAnswer answer) {
  Drop(id);
  const std::size_t bytes = SizeOf(id, answer);
  if (bytes > limits_.one + kOverhead + kStatusOverhead || bytes > limits_.all) return;
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
