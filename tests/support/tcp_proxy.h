// A TCP proxy inside a test, between a driver and its server: it counts round trips at the socket,
// and cuts the link at the worst moment.
#ifndef EMSDB_TESTS_SUPPORT_TCP_PROXY_H_
#define EMSDB_TESTS_SUPPORT_TCP_PROXY_H_

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "pool/mutex.h"

namespace emsdb {

// Listens on a port of 127.0.0.1 and carries each connection to `target_port` there, each on a
// thread of its own. Stops with its end.
class TcpProxy {
 public:
  explicit TcpProxy(int target_port);
  ~TcpProxy();
  TcpProxy(const TcpProxy&) = delete;
  TcpProxy& operator=(const TcpProxy&) = delete;

  int port() const { return port_; }

  // How often the client spoke after the server had spoken: each is a round trip.
  int trips() const { return trips_; }

  // From now on: the next packet of a client that has `text` in it reaches the server, but once the
  // server answers, the link is cut and the client sees nothing of it.
  void CutAnswerTo(std::string text);

  // From now on: the next packet of a client that has `text` in it never reaches the server; the
  // link is cut in its place.
  void CutBefore(std::string text);

  // From now on: every link is cut, and no new one is carried, until Allow.
  void Refuse() { refusing_ = true; }
  // From now on: no new link is carried, and those that are go on, until Allow.
  void RefuseNew() { refusing_new_ = true; }
  void Allow() { refusing_ = refusing_new_ = false; }

 private:
  void Accept();
  void Carry(int client);
  bool IsToBeCut(const char* data, std::size_t size);
  bool IsToBeSwallowed(const char* data, std::size_t size);

  const int target_port_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stopping_{false};
  std::atomic<int> trips_{0};
  std::atomic<bool> refusing_{false};
  std::atomic<bool> refusing_new_{false};
  Mutex mutex_;
  std::string cut_ ABSL_GUARDED_BY(mutex_);
  std::string cut_before_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::thread> carriers_;  // the accepting thread's, until it has ended
  std::thread acceptor_;
};

// A socket that listens and never answers: connecting works, and nothing comes.
class SilentServer {
 public:
  SilentServer();
  ~SilentServer();
  SilentServer(const SilentServer&) = delete;
  SilentServer& operator=(const SilentServer&) = delete;
  int port() const { return port_; }

 private:
  int listener_ = -1;
  int port_ = 0;
};

}  // namespace emsdb

#endif  // EMSDB_TESTS_SUPPORT_TCP_PROXY_H_
