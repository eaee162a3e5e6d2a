// Ctrl-C ends the call, not the program: the gateway is told, the statement is cancelled, and the
// program says what became of it.
#ifndef EMSDB_CLIENT_CLI_INTERRUPT_H_
#define EMSDB_CLIENT_CLI_INTERRUPT_H_

#include <memory>
#include <thread>

#include "client/cancel.h"

namespace emsdb::client::cli {

// While it lives SIGINT and SIGTERM cancel `cancel`; a second one ends the process at once, with
// the exit status of a call that was given up. To be made before other threads are, since they
// inherit which signals are blocked.
class Interrupt {
 public:
  explicit Interrupt(std::shared_ptr<CancelSource> cancel);
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

 private:
  void Watch();

  std::shared_ptr<CancelSource> cancel_;
  int signals_;
  int stop_;
  std::thread watcher_;
};

}  // namespace emsdb::client::cli

#endif  // EMSDB_CLIENT_CLI_INTERRUPT_H_
