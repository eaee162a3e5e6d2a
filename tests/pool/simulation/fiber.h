// A flow of control with a stack of its own, which goes on only when it is told to: what a
// simulation has in place of a thread.
#ifndef EMSDB_TESTS_POOL_SIMULATION_FIBER_H_
#define EMSDB_TESTS_POOL_SIMULATION_FIBER_H_

#include <ucontext.h>

#include <cstddef>
#include <functional>
#include <memory>

namespace emsdb {

// All fibers of a thread take turns with the flow that resumes them. No mutex may be held across a
// Yield, and no exception may leave a body.
class Fiber {
 public:
  explicit Fiber(std::function<void()> body);

  // One that was begun must be over: nobody unwinds its stack.
  ~Fiber();

  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // Goes on with the body until it yields or is over.
  void Resume();

  // In the body: back to whoever resumed it.
  void Yield();

  bool over() const { return over_; }

 private:
  static void Enter(unsigned int high, unsigned int low);
  void Leave();

  const std::function<void()> body_;
  std::unique_ptr<std::byte[]> stack_;
  ucontext_t inside_{};
  ucontext_t outside_{};
  bool over_ = false;
  // What AddressSanitizer wants to know of a change of stacks.
  void* fake_stack_ = nullptr;
  const void* outside_bottom_ = nullptr;
  std::size_t outside_size_ = 0;
};

}  // namespace emsdb

#endif  // EMSDB_TESTS_POOL_SIMULATION_FIBER_H_
