// What can be told from a statement's text alone. Hints and refusals only, never a safeguard: what
// a statement really does, the database knows (read-only transactions, transaction status).
#ifndef EMSDB_POOL_STATEMENT_TEXT_H_
#define EMSDB_POOL_STATEMENT_TEXT_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace emsdb {

// The first keyword in upper case, behind white space, comments and opening parentheses: "SELECT".
// Empty if there is none.
std::string LeadingKeyword(std::string_view sql);

// "BEGIN", "ROLLBACK", "PREPARE TRANSACTION", "SET TRANSACTION", ... if the statement is
// transaction control; else empty.
std::string TransactionControl(std::string_view sql);

// Whether it is likely to read only: SELECT and TABLE without INTO or FOR UPDATE, VALUES, SHOW,
// EXPLAIN without ANALYZE; WITH if no keyword of a write is in it.
bool LooksLikeRead(std::string_view sql);

// Whether no function is called by its name, except a few of the engine's own that change nothing.
// What views, operators, casts and defaults call is not in the text.
bool CallsNoFunction(std::string_view sql);

// The statement without its literals and comments, white space folded, at most 200 characters: fit
// for a log, since literals may be a patient's data. Quoted identifiers are kept.
std::string Fingerprint(std::string_view sql);

// 64 bits of the fingerprint's text before it is cut, the same in every process.
std::uint64_t FingerprintHash(std::string_view sql);

}  // namespace emsdb

#endif  // EMSDB_POOL_STATEMENT_TEXT_H_
