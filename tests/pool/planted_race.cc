// Two threads write one variable without a lock. ThreadSanitizer must report it; where it does not,
// its silence about the pool means nothing.
#include <thread>

#include "pool/mutex.h"

namespace {

struct Planted {
  emsdb::Mutex mutex;
  int guarded = 0;
  int unguarded = 0;

  void Touch() {
    ++unguarded;
    emsdb::MutexLock lock(mutex);
    ++guarded;
  }
};

}  // namespace

int main() {
  Planted planted;
  std::thread other([&] { planted.Touch(); });
  planted.Touch();
  other.join();
  return planted.guarded == 2 ? 0 : 1;
}
