// Takes the answer to the question what types are called.
#ifndef EMSDB_POOL_POSTGRES_TYPE_SINK_H_
#define EMSDB_POOL_POSTGRES_TYPE_SINK_H_

#include <cstdint>
#include <string>

#include "pool/connection.h"
#include "pool/postgres/type_names.h"

namespace emsdb {

// Rows of oid and name.
class TypeSink final : public RowSink {
 public:
  explicit TypeSink(TypeNames& types) : types_(types) {}
  absl::Status OnColumns(std::span<const Column>) override { return absl::OkStatus(); }
  absl::Status OnRow(std::span<const Cell> cells) override {
    const auto* oid = std::get_if<std::int64_t>(&cells[0]);
    const auto* name = std::get_if<std::string_view>(&cells[1]);
    if (oid != nullptr && name != nullptr) {
      types_.Learn(static_cast<std::uint32_t>(*oid), std::string(*name));
    }
    return absl::OkStatus();
  }

 private:
  TypeNames& types_;
};

}  // namespace emsdb

#endif  // EMSDB_POOL_POSTGRES_TYPE_SINK_H_
