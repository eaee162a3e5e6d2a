#include "tests/end_to_end/chaos/silent_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <stdexcept>

namespace emsdb::chaos {

SilentProcess::SilentProcess() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
  pid_ = fork();
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // a test that aborts leaves nothing
    dup2(ends[1], STDOUT_FILENO);
    execl(EMSDB_TEST_SILENT_SERVER, EMSDB_TEST_SILENT_SERVER, nullptr);
    _exit(127);
  }
  close(ends[1]);
  std::FILE* out = fdopen(ends[0], "r");
  std::array<char, 100> line{};
  const bool serves = fgets(line.data(), line.size(), out) != nullptr;
  fclose(out);
  if (!serves) throw std::runtime_error("the silent server does not serve");
  address_ = "127.0.0.1:" + std::to_string(std::stoi(line.data()));
}

SilentProcess::~SilentProcess() {
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

}  // namespace emsdb::chaos
