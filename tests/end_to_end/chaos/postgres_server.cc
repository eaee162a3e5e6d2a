#include "tests/end_to_end/chaos/postgres_server.h"

#include <libpq-fe.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <thread>

#include "absl/strings/str_format.h"

namespace emsdb::chaos {
namespace {

constexpr auto kStartPatience = std::chrono::seconds(60);

std::string Setting(const char* name, const char* otherwise) {
  const char* set = std::getenv(name);
  return set == nullptr || *set == '\0' ? otherwise : set;
}

// What the command wrote to its standard output; throws if it failed.
std::string Output(const std::string& command) {
  std::FILE* out = popen(command.c_str(), "r");
  if (out == nullptr) throw std::runtime_error("popen");
  std::string text;
  std::array<char, 500> part{};
  while (fgets(part.data(), part.size(), out) != nullptr) text += part.data();
  if (pclose(out) != 0) throw std::runtime_error(absl::StrFormat("failed: %s", command));
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

using Session = std::unique_ptr<PGconn, decltype(&PQfinish)>;
using Result = std::unique_ptr<PGresult, decltype(&PQclear)>;

Session Connect(const std::string& url) { return {PQconnectdb(url.c_str()), &PQfinish}; }

struct Process {
  char state = 'X';  // as the kernel has it; X for one that is no more
  pid_t parent = -1;
};

Process ProcessAt(const std::filesystem::path& directory) {
  std::ifstream file(directory / "stat");
  std::string text;
  std::getline(file, text);
  // Behind the command's name, which may hold anything.
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos || text.size() < name_end + 5) return {};
  return {text[name_end + 2], std::atoi(text.c_str() + name_end + 4)};
}

// One that nobody has waited for yet is gone as well.
bool Gone(pid_t pid) {
  const char state = ProcessAt(absl::StrFormat("/proc/%d", pid)).state;
  return state == 'X' || state == 'Z';
}

std::vector<pid_t> ChildrenOf(pid_t parent) {
  std::vector<pid_t> children;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const pid_t pid = std::atoi(entry.path().filename().c_str());
    if (pid > 0 && ProcessAt(entry.path()).parent == parent) children.push_back(pid);
  }
  return children;
}

}  // namespace

PostgresServer::PostgresServer()
    : url_(Output(
          absl::StrFormat("%s start %s fsync", EMSDB_TEST_PRIVATE_POSTGRES, directory_.path()))) {}

PostgresServer::~PostgresServer() {
  try {
    Thaw();
  } catch (const std::runtime_error&) {
    // It does not run.
  }
  const std::string stop =
      absl::StrFormat("%s stop %s", EMSDB_TEST_PRIVATE_POSTGRES, directory_.path());
  if (std::system(stop.c_str()) != 0) std::fputs("the PostgreSQL did not stop\n", stderr);
}

PostgresServer::Rows PostgresServer::Ask(const std::string& sql) const {
  const Session session = Connect(url_);
  const Result result(PQexec(session.get(), sql.c_str()), &PQclear);
  const ExecStatusType status = PQresultStatus(result.get());
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
    throw std::runtime_error(PQerrorMessage(session.get()));
  }
  Rows rows;
  for (int row = 0; row < PQntuples(result.get()); ++row) {
    std::vector<std::string>& cells = rows.emplace_back();
    for (int column = 0; column < PQnfields(result.get()); ++column) {
      cells.emplace_back(PQgetvalue(result.get(), row, column));
    }
  }
  return rows;
}

int PostgresServer::Backends() const {
  return AskNumber(
      "select count(*) from pg_stat_activity "
      "where backend_type = 'client backend' and pid <> pg_backend_pid()");
}

// PostgreSQL refuses to run as root; private_postgres has made the cluster another user's then.
std::string PostgresServer::Control(const std::string& arguments) const {
  const std::string user = Setting("EMSDB_TEST_POSTGRES_USER", "postgres");
  const std::string as = geteuid() == 0 ? absl::StrFormat("runuser -u %s -- ", user) : "";
  return absl::StrFormat("cd / && %s%s/pg_ctl --pgdata=%s --log=%s %s </dev/null >/dev/null 2>&1",
                         as, Setting("EMSDB_TEST_POSTGRES_BIN", "/usr/lib/postgresql/15/bin"),
                         directory_.File("data"), directory_.File("server.log"), arguments);
}

pid_t PostgresServer::Postmaster() const {
  std::ifstream file(directory_.File("data/postmaster.pid"));
  pid_t pid = 0;
  file >> pid;
  if (pid <= 1) throw std::runtime_error("the PostgreSQL does not run");
  return pid;
}

void PostgresServer::StopFast() const { Output(Control("--mode=fast --wait stop")); }

void PostgresServer::Kill() const {
  const pid_t postmaster = Postmaster();
  kill(postmaster, SIGSTOP);  // so that it has no child that is not counted
  std::vector<pid_t> all = ChildrenOf(postmaster);
  kill(postmaster, SIGKILL);
  for (const pid_t child : all) kill(child, SIGKILL);
  // The data belong to nobody only when the last of them is gone.
  all.push_back(postmaster);
  for (const pid_t pid : all) {
    while (!Gone(pid)) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  // Where nobody waits for the dead, its number would still look like a server that runs.
  std::filesystem::remove(directory_.File("data/postmaster.pid"));
  for (const auto& lock : std::filesystem::directory_iterator(directory_.File("socket"))) {
    std::filesystem::remove(lock.path());
  }
}

Instant PostgresServer::Start() const {
  const std::size_t colon = url_.rfind(':');
  const std::string port = url_.substr(colon + 1, url_.find('/', colon) - colon - 1);
  Output(Control(absl::StrFormat("--no-wait --options='-p %s' start", port)));
  const Instant patience = Clock::Real().Now() + kStartPatience;
  while (Clock::Real().Now() < patience) {
    if (PQstatus(Connect(url_).get()) == CONNECTION_OK) return Clock::Real().Now();
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  throw std::runtime_error("the PostgreSQL did not start again");
}

void PostgresServer::Freeze() const {
  const pid_t postmaster = Postmaster();
  kill(postmaster, SIGSTOP);  // first: then there are no more children
  for (const pid_t child : ChildrenOf(postmaster)) kill(child, SIGSTOP);
}

Instant PostgresServer::Thaw() const {
  const pid_t postmaster = Postmaster();
  for (const pid_t child : ChildrenOf(postmaster)) kill(child, SIGCONT);
  kill(postmaster, SIGCONT);
  return Clock::Real().Now();
}

}  // namespace emsdb::chaos
