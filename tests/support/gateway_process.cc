#include "tests/support/gateway_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace emsdb {
namespace {

std::string Slurp(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// Starts `program` with its standard streams in `out` and `err`, an open descriptor and a file.
pid_t Spawn(const std::string& program, const std::vector<std::string>& arguments,
            const Environment& environment, int out, const std::string& err) {
  std::vector<std::string> variables = {"PATH=/usr/bin:/bin"};
  for (const auto& [name, value] : environment) variables.push_back(name + "=" + value);
  std::vector<char*> argv = {const_cast<char*>(program.c_str())};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  std::vector<char*> envp;
  for (std::string& variable : variables) envp.push_back(variable.data());
  envp.push_back(nullptr);
  const int err_fd = open(err.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const pid_t pid = fork();
  if (pid != 0) {
    close(err_fd);
    return pid;
  }
  // Blocked signals are inherited; the program must get them all.
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  dup2(out, STDOUT_FILENO);
  dup2(err_fd, STDERR_FILENO);
  execve(program.c_str(), argv.data(), envp.data());
  _exit(127);
}

int AwaitEnd(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

Ended RunProgram(const std::string& program, const std::vector<std::string>& arguments,
                 const Environment& environment) {
  TemporaryDirectory directory;
  const std::string out = directory.File("out");
  const std::string err = directory.File("err");
  const int out_fd = open(out.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  const pid_t pid = Spawn(program, arguments, environment, out_fd, err);
  close(out_fd);
  const int status = AwaitEnd(pid);
  return {status, Slurp(out), Slurp(err)};
}

std::string GatewayProgram() { return EMSDB_TEST_PROGRAMS "/emsdb-gateway"; }
std::string ClientProgram() { return EMSDB_TEST_PROGRAMS "/emsdb"; }

GatewayProcess::GatewayProcess(Environment settings) {
  settings.insert({{"EMSDB_LISTEN", "127.0.0.1:0"},
                   {"EMSDB_METRICS_LISTEN", "127.0.0.1:0"},
                   {"EMSDB_DATA_DIR", directory_.path()}});
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
  pid_ = Spawn(GatewayProgram(), {}, settings, ends[1], directory_.File("err"));
  close(ends[1]);
  // The line that says which ports comes last; what comes before describes the settings.
  std::FILE* out = fdopen(ends[0], "r");
  std::array<char, 1000> line{};
  while (port_ == 0 && fgets(line.data(), line.size(), out) != nullptr) {
    const std::string text = line.data();
    const std::size_t serves = text.find(" serves on port ");
    if (serves == std::string::npos) continue;
    port_ = std::stoi(text.substr(serves + 16));
    metrics_port_ = std::stoi(text.substr(text.rfind(' ') + 1));
  }
  fclose(out);
  if (port_ == 0) {
    const int status = Wait();
    throw std::runtime_error("the gateway ended with status " + std::to_string(status) + ": " +
                             log());
  }
}

GatewayProcess::~GatewayProcess() {
  if (pid_ < 0) return;
  Signal(SIGKILL);
  Wait();
}

std::string GatewayProcess::address() const { return "127.0.0.1:" + std::to_string(port_); }
std::string GatewayProcess::metrics_address() const {
  return "127.0.0.1:" + std::to_string(metrics_port_);
}

std::string GatewayProcess::Metrics() const {
  return RunProgram("/usr/bin/curl", {"-s", "http://" + metrics_address() + "/metrics"}, {}).out;
}

std::size_t GatewayProcess::resident_bytes() const {
  std::ifstream statm("/proc/" + std::to_string(pid_) + "/statm");
  std::size_t total = 0;
  std::size_t resident = 0;
  statm >> total >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

std::string GatewayProcess::log() const { return Slurp(directory_.File("err")); }

void GatewayProcess::Signal(int signal) const { kill(pid_, signal); }

int GatewayProcess::Wait() {
  const int status = AwaitEnd(pid_);
  pid_ = -1;
  return status;
}

int GatewayProcess::Terminate() {
  Signal(SIGTERM);
  return Wait();
}

}  // namespace emsdb
