#include "tests/client/run_cli.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace emsdb {
namespace {

struct Pipe {
  Pipe() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) std::abort();
    read_end = ends[0];
    write_end = ends[1];
  }
  int read_end;
  int write_end;
};

// An unnamed file with this text: a pipe could be full before anybody reads it.
int FileWith(const std::string& text) {
  std::FILE* file = std::tmpfile();
  if (file == nullptr) std::abort();
  std::fwrite(text.data(), 1, text.size(), file);
  std::fflush(file);
  const int fd = fcntl(fileno(file), F_DUPFD_CLOEXEC, 0);
  lseek(fd, 0, SEEK_SET);
  std::fclose(file);
  return fd;
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> Environment(const std::string& address, const CliInput& input) {
  std::vector<std::string> out{"EMSDB_ADDRESS=" + address};
  for (const char* name : {"PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"}) {
    if (const char* value = std::getenv(name)) out.push_back(std::string(name) + "=" + value);
  }
  for (const auto& [name, value] : input.environment) out.push_back(name + "=" + value);
  return out;
}

// Reads both until both are closed.
void Drain(int out, int err, CliResult& result) {
  std::array<char, 65536> part;
  std::array<pollfd, 2> watched{
      {{.fd = out, .events = POLLIN, .revents = 0}, {.fd = err, .events = POLLIN, .revents = 0}}};
  while (watched[0].fd >= 0 || watched[1].fd >= 0) {
    poll(watched.data(), watched.size(), -1);
    for (pollfd& one : watched) {
      if (one.fd < 0 || one.revents == 0) continue;
      const ssize_t got = read(one.fd, part.data(), part.size());
      if (got <= 0) {
        one.fd = -1;
      } else {
        (one.fd == out ? result.out : result.err).append(part.data(), static_cast<size_t>(got));
      }
    }
  }
}

}  // namespace

RunningCli::RunningCli(const std::string& address, const CliInput& input) {
  std::vector<std::string> arguments = input.arguments;
  arguments.insert(arguments.begin(), EMSDB_PROGRAM);
  std::vector<std::string> environment = Environment(address, input);
  const Pipe out;
  const Pipe err;
  const int in = FileWith(input.standard_input);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out.write_end, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err.write_end, STDERR_FILENO);
  if (posix_spawn(&pid_, EMSDB_PROGRAM, &actions, nullptr, Pointers(arguments).data(),
                  Pointers(environment).data()) != 0) {
    std::abort();
  }
  posix_spawn_file_actions_destroy(&actions);
  for (const int fd : {in, out.write_end, err.write_end}) close(fd);
  out_ = out.read_end;
  err_ = err.read_end;
}

void RunningCli::Signal(int signal) const { kill(pid_, signal); }

void RunningCli::CloseOutput() { close(std::exchange(out_, -1)); }

CliResult RunningCli::Wait() {
  CliResult result;
  Drain(out_, err_, result);
  if (out_ >= 0) close(out_);
  close(err_);
  int status = 0;
  waitpid(pid_, &status, 0);
  if (WIFEXITED(status)) result.status = WEXITSTATUS(status);
  return result;
}

CliResult RunCli(const std::string& address, const CliInput& input) {
  return RunningCli(address, input).Wait();
}

CliResult RunCli(const std::string& address, std::vector<std::string> arguments) {
  return RunCli(address, CliInput{.arguments = std::move(arguments)});
}

}  // namespace emsdb
