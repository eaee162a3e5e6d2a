#include "tests/support/tcp_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace emsdb {
namespace {

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int Listen(int& port) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Loopback(0);
  socklen_t length = sizeof address;
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      listen(listener, 64) != 0 ||
      getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    throw std::runtime_error("cannot listen on 127.0.0.1");
  }
  port = ntohs(address.sin_port);
  return listener;
}

void NoDelay(int fd) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

bool SendAll(int fd, const char* data, std::size_t size) {
  while (size > 0) {
    const ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    data += sent;
    size -= static_cast<std::size_t>(sent);
  }
  return true;
}

}  // namespace

TcpProxy::TcpProxy(int target_port) : target_port_(target_port) {
  listener_ = Listen(port_);
  acceptor_ = std::thread([this] { Accept(); });
}

TcpProxy::~TcpProxy() {
  stopping_ = true;
  acceptor_.join();
  for (std::thread& carrier : carriers_) carrier.join();
  close(listener_);
}

void TcpProxy::CutAnswerTo(std::string text) {
  MutexLock lock(mutex_);
  cut_ = std::move(text);
}

void TcpProxy::CutBefore(std::string text) {
  MutexLock lock(mutex_);
  cut_before_ = std::move(text);
}

bool TcpProxy::IsToBeSwallowed(const char* data, std::size_t size) {
  MutexLock lock(mutex_);
  return !cut_before_.empty() &&
         std::string_view(data, size).find(cut_before_) != std::string_view::npos;
}

bool TcpProxy::IsToBeCut(const char* data, std::size_t size) {
  MutexLock lock(mutex_);
  return !cut_.empty() && std::string_view(data, size).find(cut_) != std::string_view::npos;
}

void TcpProxy::Accept() {
  while (!stopping_) {
    pollfd waiting{listener_, POLLIN, 0};
    if (poll(&waiting, 1, 20) <= 0) continue;
    const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client >= 0 && refusing_new_) {
      close(client);
      continue;
    }
    if (client >= 0) carriers_.emplace_back([this, client] { Carry(client); });
  }
}

void TcpProxy::Carry(int client) {
  const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = Loopback(target_port_);
  bool open = connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  NoDelay(client);
  NoDelay(server);
  bool server_spoke_last = true;
  bool cutting = false;
  std::array<char, 65536> buffer;
  while (open && !stopping_ && !refusing_) {
    std::array<pollfd, 2> ends = {pollfd{client, POLLIN, 0}, pollfd{server, POLLIN, 0}};
    if (poll(ends.data(), ends.size(), 20) <= 0) continue;
    if (ends[0].revents != 0) {
      const ssize_t got = recv(client, buffer.data(), buffer.size(), 0);
      if (got <= 0) break;
      if (std::exchange(server_spoke_last, false)) ++trips_;
      if (IsToBeSwallowed(buffer.data(), static_cast<std::size_t>(got))) break;
      cutting = cutting || IsToBeCut(buffer.data(), static_cast<std::size_t>(got));
      open = SendAll(server, buffer.data(), static_cast<std::size_t>(got));
    }
    if (ends[1].revents != 0) {
      const ssize_t got = recv(server, buffer.data(), buffer.size(), 0);
      if (got <= 0 || cutting) break;
      server_spoke_last = true;
      open = SendAll(client, buffer.data(), static_cast<std::size_t>(got));
    }
  }
  close(client);
  close(server);
}

SilentServer::SilentServer() { listener_ = Listen(port_); }

SilentServer::~SilentServer() { close(listener_); }

}  // namespace emsdb
