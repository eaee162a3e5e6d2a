// The types that are the same in every PostgreSQL: their oids and names, known without a question
// to the server.
#ifndef EMSDB_POOL_POSTGRES_TYPE_TABLE_H_
#define EMSDB_POOL_POSTGRES_TYPE_TABLE_H_

#include <cstdint>
#include <string_view>

namespace emsdb {

inline constexpr std::uint32_t kBoolOid = 16;
inline constexpr std::uint32_t kByteaOid = 17;
inline constexpr std::uint32_t kInt8Oid = 20;
inline constexpr std::uint32_t kInt2Oid = 21;
inline constexpr std::uint32_t kInt4Oid = 23;
inline constexpr std::uint32_t kOidOid = 26;
inline constexpr std::uint32_t kFloat4Oid = 700;
inline constexpr std::uint32_t kFloat8Oid = 701;

// The name in pg_type, "timestamptz", "_text" for an array; empty if it is none of these.
std::string_view BuiltinTypeName(std::uint32_t oid);

// The oid for such a name, or for what SQL calls the type ("integer"); 0 if there is none, also
// for pseudo types, which no parameter can have.
std::uint32_t BuiltinTypeOid(std::string_view name);

}  // namespace emsdb

#endif  // EMSDB_POOL_POSTGRES_TYPE_TABLE_H_
