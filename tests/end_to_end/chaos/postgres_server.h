// A PostgreSQL of the scenario's own that can be stopped in three ways, and an eye beside the
// gateway on what is in it.
#ifndef EMSDB_TESTS_END_TO_END_CHAOS_POSTGRES_SERVER_H_
#define EMSDB_TESTS_END_TO_END_CHAOS_POSTGRES_SERVER_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "pool/clock.h"
#include "tests/support/temporary_directory.h"

namespace emsdb::chaos {

// Used by one thread.
class PostgresServer {
 public:
  using Rows = std::vector<std::vector<std::string>>;

  // Starts it; throws if it does not start.
  PostgresServer();
  // Stops it, also one that is frozen, and removes its data.
  ~PostgresServer();
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

  const std::string& url() const { return url_; }

  // On a connection of its own; throws with the server's message.
  Rows Ask(const std::string& sql) const;
  int AskNumber(const std::string& sql) const { return std::stoi(Ask(sql).at(0).at(0)); }
  // Connections other than the one that asks.
  int Backends() const;

  // What an operator does: every session is ended with a word, then the server.
  void StopFast() const;
  // What a crash does: the postmaster and its children vanish without a word.
  void Kill() const;
  // Starts a stopped one; returns the moment when it first took a connection.
  Instant Start() const;

  // A machine that stands still: connections stay open, and nothing answers.
  void Freeze() const;
  // Returns the moment when it goes on.
  Instant Thaw() const;

 private:
  std::string Control(const std::string& arguments) const;
  pid_t Postmaster() const;

  TemporaryDirectory directory_;
  std::string url_;
};

}  // namespace emsdb::chaos

#endif  // EMSDB_TESTS_END_TO_END_CHAOS_POSTGRES_SERVER_H_
