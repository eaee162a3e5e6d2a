// silent_server.cc as a process, as long as this lives.
#ifndef EMSDB_TESTS_END_TO_END_CHAOS_SILENT_PROCESS_H_
#define EMSDB_TESTS_END_TO_END_CHAOS_SILENT_PROCESS_H_

#include <sys/types.h>

#include <string>

namespace emsdb::chaos {

class SilentProcess {
 public:
  SilentProcess();
  ~SilentProcess();
  SilentProcess(const SilentProcess&) = delete;
  SilentProcess& operator=(const SilentProcess&) = delete;

  const std::string& address() const { return address_; }
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
  std::string address_;
};

}  // namespace emsdb::chaos

#endif  // EMSDB_TESTS_END_TO_END_CHAOS_SILENT_PROCESS_H_
