// Gives a target every input that is stored for it: `fuzz_replay TARGET FILE_OR_DIRECTORY...`.
// Needs no libFuzzer, so that what was once found is looked at in every build.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "tests/fuzz/targets.h"

namespace emsdb::fuzz {
namespace {

using Function = void (*)(std::string_view);

constexpr std::pair<std::string_view, Function> kTargets[] = {
    {"batch_file", BatchFile},
    {"bound_parameters", BoundParameters},
    {"command_parameters", CommandParameters},
    {"commit_token", CommitToken},
    {"copy_text", CopyText},
    {"csv_reader", CsvReader},
    {"database_url", DatabaseUrl},
    {"listen_address", ListenAddress},
    {"metadata", Metadata},
    {"request_messages", RequestMessages},
    {"result_text", ResultText},
    {"savepoint", Savepoint},
    {"script_splitter", ScriptSplitter},
    {"statement_text", StatementText},
    {"status_details", StatusDetails},
    {"text_encoding", TextEncoding},
    {"tokens_file", TokensFile},
};

std::vector<std::filesystem::path> FilesOf(const std::filesystem::path& path) {
  if (!std::filesystem::is_directory(path)) return {path};
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(path)) files.push_back(entry);
  std::sort(files.begin(), files.end());
  return files;
}

// The number of inputs replayed; -1 if one cannot be read.
int Replay(Function target, const std::filesystem::path& path) {
  int replayed = 0;
  for (const auto& file : FilesOf(path)) {
    std::ifstream stream(file, std::ios::binary);
    const std::string input{std::istreambuf_iterator<char>(stream), {}};
    if (!stream) return -1;
    // The last line that is seen if the target ends the program.
    std::fprintf(stderr, "%s\n", file.c_str());
    target(input);
    ++replayed;
  }
  return replayed;
}

int Main(int argc, char** argv) {
  const auto* const target =
      std::find_if(std::begin(kTargets), std::end(kTargets),
                   [&](const auto& each) { return argc > 2 && each.first == argv[1]; });
  if (target == std::end(kTargets)) {
    std::fprintf(stderr, "usage: fuzz_replay TARGET FILE_OR_DIRECTORY...\n");
    return 2;
  }
  for (int i = 2; i < argc; ++i) {
    const int replayed = Replay(target->second, argv[i]);
    if (replayed <= 0) {
      std::fprintf(stderr, "%s: no input, or one that cannot be read\n", argv[i]);
      return 1;
    }
    std::printf("%s: %d inputs\n", argv[i], replayed);
  }
  return 0;
}

}  // namespace
}  // namespace emsdb::fuzz

int main(int argc, char** argv) { return emsdb::fuzz::Main(argc, argv); }
