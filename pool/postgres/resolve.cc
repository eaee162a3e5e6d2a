#include "pool/postgres/resolve.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <system_error>
#include <thread>

#include "pool/errors.h"
#include "pool/postgres/connect_failure.h"
#include "pool/postgres/wire.h"

namespace emsdb {
namespace {

constexpr int kMostAsking = 16;
std::atomic<int> asking{0};

// Shared by who asks and the thread that does; whoever is last puts it away.
struct Question {
  explicit Question(std::string name)
      : host(std::move(name)), answered(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
  ~Question() {
    if (answered >= 0) close(answered);
  }
  Question(const Question&) = delete;
  Question& operator=(const Question&) = delete;

  void Ask() {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (getaddrinfo(host.c_str(), nullptr, &hints, &found) == 0) {
      for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
        std::array<char, NI_MAXHOST> text;
        if (getnameinfo(one->ai_addr, one->ai_addrlen, text.data(), text.size(), nullptr, 0,
                        NI_NUMERICHOST) == 0) {
          addresses.emplace_back(text.data());
        }
      }
      freeaddrinfo(found);
    }
    done.store(true, std::memory_order_release);
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = write(answered, &one, sizeof one);
  }

  const std::string host;
  const int answered;
  std::atomic<bool> done{false};
  std::vector<std::string> addresses;  // the thread's, until done
};

bool Start(const std::shared_ptr<Question>& question) {
  if (question->answered < 0) return false;
  if (asking.fetch_add(1) >= kMostAsking) {
    asking.fetch_sub(1);
    return false;
  }
  try {
    std::thread([question] {
      question->Ask();
      asking.fetch_sub(1);
    }).detach();
    return true;
  } catch (const std::system_error&) {
    asking.fetch_sub(1);
    return false;
  }
}

}  // namespace

absl::StatusOr<std::vector<std::string>> Resolve(const std::string& host, const Clock& clock,
                                                 const Bounds& bounds) {
  const auto question = std::make_shared<Question>(host);
  if (!Start(question)) return HostNotResolved(host, "too many lookups are without an answer");
  const int stop_fd = bounds.stop == nullptr ? -1 : bounds.stop->fd();
  switch (PollUntil(clock, bounds.deadline, question->answered, POLLIN, stop_fd)) {
    case Woken::kDeadline:
      return DeadlineExceeded(Stage::kConnecting);
    case Woken::kOther:
      return Stopped(bounds.stop->raised(), Stage::kConnecting);
    case Woken::kReady:
      break;
  }
  // The descriptor has woken us; the order of memory comes from here.
  if (!question->done.load(std::memory_order_acquire) || question->addresses.empty()) {
    return HostNotResolved(host, "not found");
  }
  return std::move(question->addresses);
}

bool IsHostName(const std::string& host) {
  if (host.empty() || host[0] == '/' || host[0] == '@') return false;
  std::array<unsigned char, sizeof(in6_addr)> address;
  return inet_pton(AF_INET, host.c_str(), address.data()) != 1 &&
         inet_pton(AF_INET6, host.substr(0, host.find('%')).c_str(), address.data()) != 1;
}

}  // namespace emsdb
