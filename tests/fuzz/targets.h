// All targets there are; the first line of each file says its invariant.
#ifndef EMSDB_TESTS_FUZZ_TARGETS_H_
#define EMSDB_TESTS_FUZZ_TARGETS_H_

#include <string_view>

namespace emsdb::fuzz {

void BatchFile(std::string_view input);
void BoundParameters(std::string_view input);
void CommandParameters(std::string_view input);
void CommitToken(std::string_view input);
void CopyText(std::string_view input);
void CsvReader(std::string_view input);
void DatabaseUrl(std::string_view input);
void ListenAddress(std::string_view input);
void Metadata(std::string_view input);
void RequestMessages(std::string_view input);
void ResultText(std::string_view input);
void Savepoint(std::string_view input);
void ScriptSplitter(std::string_view input);
void StatementText(std::string_view input);
void StatusDetails(std::string_view input);
void TextEncoding(std::string_view input);
void TokensFile(std::string_view input);

}  // namespace emsdb::fuzz

#endif  // EMSDB_TESTS_FUZZ_TARGETS_H_
