#include "client/cli/interrupt.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>
#include <utility>

#include "client/cli/exit_status.h"

namespace emsdb::client::cli {
namespace {

int BlockedSignals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  return signalfd(-1, &set, SFD_CLOEXEC);
}

}  // namespace

Interrupt::Interrupt(std::shared_ptr<CancelSource> cancel)
    : cancel_(std::move(cancel)),
      signals_(BlockedSignals()),
      stop_(eventfd(0, EFD_CLOEXEC)),
      watcher_([this] { Watch(); }) {}

Interrupt::~Interrupt() {
  // Adding one to an event counter at zero does not fail.
  if (eventfd_write(stop_, 1) == 0) watcher_.join();
  close(signals_);
  close(stop_);
}

void Interrupt::Watch() {
  while (true) {
    pollfd watched[] = {{.fd = signals_, .events = POLLIN, .revents = 0},
                        {.fd = stop_, .events = POLLIN, .revents = 0}};
    if (poll(watched, 2, -1) < 0) continue;
    if (watched[1].revents != 0) return;
    signalfd_siginfo info;
    if (read(signals_, &info, sizeof info) != sizeof info) continue;
    // Perhaps the program is stuck on a reader that does not read.
    if (cancel_->cancelled()) _exit(static_cast<int>(ExitStatus::kGaveUp));
    cancel_->Cancel();
  }
}

}  // namespace emsdb::client::cli
