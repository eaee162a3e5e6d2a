// Runs the built `emsdb` as a person would: another process, its own standard streams.
#ifndef EMSDB_TESTS_CLIENT_RUN_CLI_H_
#define EMSDB_TESTS_CLIENT_RUN_CLI_H_

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

namespace emsdb {

struct CliResult {
  int status = -1;  // the exit status; -1 if a signal ended it
  std::string out;
  std::string err;
};

struct CliInput {
  std::vector<std::string> arguments;
  std::map<std::string, std::string> environment;  // beside PATH and EMSDB_ADDRESS
  std::string standard_input;
};

// A started program; Wait() once.
class RunningCli {
 public:
  RunningCli(const std::string& address, const CliInput& input);
  RunningCli(const RunningCli&) = delete;
  RunningCli& operator=(const RunningCli&) = delete;

  void Signal(int signal) const;
  // Its standard output has no reader any more.
  void CloseOutput();
  CliResult Wait();

 private:
  pid_t pid_ = -1;
  int out_ = -1;
  int err_ = -1;
};

CliResult RunCli(const std::string& address, const CliInput& input);
CliResult RunCli(const std::string& address, std::vector<std::string> arguments);

}  // namespace emsdb

#endif  // EMSDB_TESTS_CLIENT_RUN_CLI_H_
