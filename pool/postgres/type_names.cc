#include "pool/postgres/type_names.h"

#include <utility>

#include "pool/postgres/type_table.h"

namespace emsdb {

std::string TypeNames::Find(std::uint32_t oid) const {
  const std::string_view builtin = BuiltinTypeName(oid);
  if (!builtin.empty()) return std::string(builtin);
  MutexLock lock(mutex_);
  const auto found = learned_.find(oid);
  return found == learned_.end() ? std::string() : found->second;
}

void TypeNames::Learn(std::uint32_t oid, std::string name) {
  MutexLock lock(mutex_);
  if (learned_.size() >= kMost) learned_.clear();
  learned_[oid] = std::move(name);
}

}  // namespace emsdb
