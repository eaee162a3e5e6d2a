// A caller that is there to be killed: it begins a transaction on a stream, says on standard output
// how far it is, and goes on. The tests kill it at that point or at any moment after it.
//
//   transact_client ADDRESS idle|running|loop
#include <unistd.h>

#include <cstdio>
#include <string>

#include "client/client.h"

namespace emsdb {
namespace {

using client::Client;

void Say(const std::string& what) {
  std::printf("%s\n", what.c_str());
  std::fflush(stdout);
}

[[noreturn]] void Fail(const absl::Status& status) {
  Say("failed: " + status.ToString());
  std::_Exit(1);
}

// One row for each number, and a lock on the row that everybody wants.
client::StreamTransaction Write(const Client& client, int number) {
  auto transaction = client.Transact("main");
  if (!transaction.ok()) Fail(transaction.status());
  auto noted = transaction->Query("insert into notes values ($1)", {number});
  if (!noted.ok()) Fail(noted.status());
  auto locked = transaction->Query("update counters set value = value + 1 where id = 1");
  if (!locked.ok()) Fail(locked.status());
  return *std::move(transaction);
}

int Main(const std::string& address, const std::string& mode) {
  const Client client =
      *Client::Connect({.address = address, .caller = "victim", .retry = {.max_attempts = 1}});
  if (mode == "idle") {
    const auto transaction = Write(client, 1);
    Say("ready");
    pause();
  } else if (mode == "running") {
    auto transaction = Write(client, 1);
    Say("ready");
    Fail(transaction.Query("select pg_sleep(60)").status());
  }
  // Begins, writes and commits, over and over. A number is said twice: before and behind its
  // commit.
  Say("ready");
  for (int number = 1;; ++number) {
    auto transaction = Write(client, number);
    Say("committing " + std::to_string(number));
    if (absl::Status done = transaction.Commit(); !done.ok()) Fail(done);
    Say("committed " + std::to_string(number));
  }
}

}  // namespace
}  // namespace emsdb

int main(int argc, char** argv) { return argc == 3 ? emsdb::Main(argv[1], argv[2]) : 2; }
