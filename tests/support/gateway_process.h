// The real gateway as a process of its own, on free ports, with settings that the test names.
#ifndef EMSDB_TESTS_SUPPORT_GATEWAY_PROCESS_H_
#define EMSDB_TESTS_SUPPORT_GATEWAY_PROCESS_H_

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

#include "tests/support/temporary_directory.h"

namespace emsdb {

using Environment = std::map<std::string, std::string>;

// What a program that has ended left behind.
struct Ended {
  int status = -1;  // exit status; 128 + the signal's number if one killed it
  std::string out;
  std::string err;
};

// Runs a program to its end with this environment alone (and PATH).
Ended RunProgram(const std::string& program, const std::vector<std::string>& arguments,
                 const Environment& environment);

// Programs that this build has made.
std::string GatewayProgram();
std::string ClientProgram();

class GatewayProcess {
 public:
  // Starts it and waits until it serves; throws with its output if it ends instead. Its data are in
  // a directory of its own. Nothing of the test's environment reaches it.
  explicit GatewayProcess(Environment settings = {});
  // Kills it if it still runs.
  ~GatewayProcess();
  GatewayProcess(const GatewayProcess&) = delete;
  GatewayProcess& operator=(const GatewayProcess&) = delete;

  std::string address() const;  // 127.0.0.1:port
  std::string metrics_address() const;
  // What it answers there.
  std::string Metrics() const;
  pid_t pid() const { return pid_; }
  std::size_t resident_bytes() const;
  // Everything it has written to standard error so far.
  std::string log() const;

  void Signal(int signal) const;
  // Waits for its end; its exit status as in Ended.
  int Wait();
  // SIGTERM and Wait.
  int Terminate();

 private:
  TemporaryDirectory directory_;
  pid_t pid_ = -1;
  int port_ = 0;
  int metrics_port_ = 0;
};

}  // namespace emsdb

#endif  // EMSDB_TESTS_SUPPORT_GATEWAY_PROCESS_H_
