#include "tests/pool/simulation/fiber.h"

#include <cstdint>
#include <utility>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#define EMSDB_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define EMSDB_ADDRESS_SANITIZER 1
#endif
#endif

#ifdef EMSDB_ADDRESS_SANITIZER
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace emsdb {
namespace {

constexpr std::size_t kStackSize = std::size_t{256} << 10;

// Thousands of simulations follow each other: their stacks are used again.
std::vector<std::unique_ptr<std::byte[]>>& SpareStacks() {
  thread_local std::vector<std::unique_ptr<std::byte[]>> spare;
  return spare;
}

std::unique_ptr<std::byte[]> TakeStack() {
  auto& spare = SpareStacks();
  if (spare.empty()) return std::unique_ptr<std::byte[]>(new std::byte[kStackSize]);
  std::unique_ptr<std::byte[]> stack = std::move(spare.back());
  spare.pop_back();
  return stack;
}

void GiveBack(std::unique_ptr<std::byte[]> stack) {
#ifdef EMSDB_ADDRESS_SANITIZER
  __asan_unpoison_memory_region(stack.get(), kStackSize);
#endif
  SpareStacks().push_back(std::move(stack));
}

void StartSwitch([[maybe_unused]] void** keep, [[maybe_unused]] const void* bottom,
                 [[maybe_unused]] std::size_t size) {
#ifdef EMSDB_ADDRESS_SANITIZER
  __sanitizer_start_switch_fiber(keep, bottom, size);
#endif
}

void FinishSwitch([[maybe_unused]] void* kept, [[maybe_unused]] const void** bottom,
                  [[maybe_unused]] std::size_t* size) {
#ifdef EMSDB_ADDRESS_SANITIZER
  __sanitizer_finish_switch_fiber(kept, bottom, size);
#endif
}

}  // namespace

Fiber::Fiber(std::function<void()> body) : body_(std::move(body)), stack_(TakeStack()) {
  getcontext(&inside_);
  inside_.uc_stack.ss_sp = stack_.get();
  inside_.uc_stack.ss_size = kStackSize;
  // makecontext hands over ints only.
  const auto self = reinterpret_cast<std::uintptr_t>(this);
  makecontext(&inside_, reinterpret_cast<void (*)()>(&Fiber::Enter), 2,
              static_cast<unsigned int>(self >> 32), static_cast<unsigned int>(self));
}

Fiber::~Fiber() { GiveBack(std::move(stack_)); }

void Fiber::Enter(unsigned int high, unsigned int low) {
  const auto self_bits = (static_cast<std::uintptr_t>(high) << 32) | low;
  // makecontext passes numbers only. NOLINTNEXTLINE(performance-no-int-to-ptr)
  auto* self = reinterpret_cast<Fiber*>(self_bits);
  FinishSwitch(nullptr, &self->outside_bottom_, &self->outside_size_);
  self->body_();
  self->Leave();
}

void Fiber::Resume() {
  void* fake_stack = nullptr;
  StartSwitch(&fake_stack, stack_.get(), kStackSize);
  swapcontext(&outside_, &inside_);
  FinishSwitch(fake_stack, nullptr, nullptr);
}

void Fiber::Yield() {
  StartSwitch(&fake_stack_, outside_bottom_, outside_size_);
  swapcontext(&inside_, &outside_);
  FinishSwitch(fake_stack_, &outside_bottom_, &outside_size_);
}

void Fiber::Leave() {
  over_ = true;
  StartSwitch(nullptr, outside_bottom_, outside_size_);
  swapcontext(&inside_, &outside_);
}

}  // namespace emsdb
