#include "tests/end_to_end/chaos/watch.h"

#include <grpcpp/create_channel.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <stdexcept>
#include <utility>

#include "emsdb/v1/database_service.grpc.pb.h"

namespace emsdb::chaos {
namespace {

constexpr auto kPatience = std::chrono::seconds(20);

v1::GetPoolStatusResponse PoolsOf(const std::shared_ptr<grpc::Channel>& channel,
                                  const std::string& database) {
  const auto stub = v1::DatabaseService::NewStub(channel);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kPatience);
  v1::GetPoolStatusRequest request;
  request.set_database(database);
  v1::GetPoolStatusResponse response;
  const grpc::Status status = stub->GetPoolStatus(&context, request, &response);
  if (!status.ok()) throw std::runtime_error("GetPoolStatus: " + status.error_message());
  return response;
}

}  // namespace

std::shared_ptr<grpc::Channel> NewChannel(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

v1::PoolStatus StatusOf(const std::string& address, const std::string& database) {
  const v1::GetPoolStatusResponse response = PoolsOf(NewChannel(address), database);
  v1::PoolStatus sum;
  for (const v1::PoolStatus& pool : response.pools()) {
    sum.set_size(sum.size() + pool.size());
    sum.set_max_overflow(sum.max_overflow() + pool.max_overflow());
    sum.set_idle(sum.idle() + pool.idle());
    sum.set_leased(sum.leased() + pool.leased());
    sum.set_opening(sum.opening() + pool.opening());
    sum.set_waiting(sum.waiting() + pool.waiting());
    sum.set_transactions(sum.transactions() + pool.transactions());
    sum.set_opened_total(sum.opened_total() + pool.opened_total());
  }
  return sum;
}

bool Becomes(Duration patience, const std::function<bool()>& holds) {
  const Instant end = Clock::Real().Now() + patience;
  while (!holds()) {
    if (Clock::Real().Now() >= end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

ProcessFacts FactsOf(pid_t pid) {
  ProcessFacts facts;
  const std::string process = "/proc/" + std::to_string(pid);
  std::ifstream statm(process + "/statm");
  std::size_t total = 0;
  statm >> total >> facts.resident_bytes;
  facts.resident_bytes *= static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  std::ifstream status(process + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("Threads:")) facts.threads = std::stoi(line.substr(8));
  }
  return facts;
}

Watcher::Watcher(const std::string& address, pid_t pid)
    : channel_(NewChannel(address)), pid_(pid), thread_([this] { Run(); }) {}

Watcher::~Watcher() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    changed_.NotifyAll();
  }
  thread_.join();
}

int Watcher::over_limit() const {
  MutexLock lock(mutex_);
  return over_limit_;
}

int Watcher::looks() const {
  MutexLock lock(mutex_);
  return looks_;
}

int Watcher::most_threads() const {
  MutexLock lock(mutex_);
  return most_threads_;
}

void Watcher::Run() {
  constexpr auto kPause = std::chrono::milliseconds(50);
  for (;;) {
    const v1::GetPoolStatusResponse response = PoolsOf(channel_, "");
    const int threads = FactsOf(pid_).threads;
    MutexLock lock(mutex_);
    ++looks_;
    most_threads_ = std::max(most_threads_, threads);
    for (const v1::PoolStatus& pool : response.pools()) {
      const int live = pool.idle() + pool.leased() + pool.opening();
      if (live > pool.size() + pool.max_overflow()) ++over_limit_;
    }
    const Instant next = Clock::Real().Now() + kPause;
    while (!stopping_ && Clock::Real().Now() < next) changed_.WaitUntil(mutex_, next);
    if (stopping_) return;
  }
}

}  // namespace emsdb::chaos
