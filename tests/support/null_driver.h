// A driver that does nothing and remembers nothing: what is measured or played with it is the pool
// alone. Where a test wants to say what a call does, it takes the scripted one.
#ifndef EMSDB_TESTS_SUPPORT_NULL_DRIVER_H_
#define EMSDB_TESTS_SUPPORT_NULL_DRIVER_H_

#include <atomic>
#include <memory>
#include <thread>

#include "pool/connection.h"

namespace emsdb {

// How many connections there are, and were at most; being opened counts as open.
class OpenCount {
 public:
  void Add() {
    const int now = ++open_;
    int most = most_.load();
    while (most < now && !most_.compare_exchange_weak(most, now)) {
    }
  }
  void Remove() { --open_; }
  int most() const { return most_; }

 private:
  std::atomic<int> open_{0};
  std::atomic<int> most_{0};
};

class NullConnection : public Connection {
 public:
  // `count`, if any, must outlive it.
  explicit NullConnection(OpenCount* count = nullptr) : count_(count) {}
  ~NullConnection() override {
    if (count_ != nullptr) count_->Remove();
  }

  absl::StatusOr<Completion> Execute(const Statement&, const RunOptions&, const Bounds&,
                                     RowSink&) override {
    return Completion{};
  }
  absl::Status ExecuteBatch(std::span<const GuardedStatement>, const TransactionOptions&,
                            const RunOptions&, const Bounds&, BatchSink&) override {
    return absl::OkStatus();
  }
  absl::Status Begin(const TransactionOptions&, const RunOptions&, const Bounds&) override {
    return absl::OkStatus();
  }
  absl::StatusOr<std::int64_t> CopyIn(const CopyTarget&, const RunOptions&, const Bounds&,
                                      RowSource&) override {
    return 0;
  }
  absl::Status Commit(const Bounds&, CommitWitness*) override { return absl::OkStatus(); }
  absl::Status Savepoint(const SavepointAction&, const Bounds&) override {
    return absl::OkStatus();
  }
  absl::Status RollBack(const Bounds&) override { return absl::OkStatus(); }
  absl::Status Ping(const Bounds&) override { return absl::OkStatus(); }
  bool LooksAlive() override { return true; }
  TransactionState transaction_state() const override { return TransactionState::kIdle; }
  bool broken() const override { return false; }
  bool given_up() const override { return false; }
  bool session_changed() const override { return false; }

 private:
  OpenCount* const count_;
};

// Opens at once, or after as long a sleep as it is told: for benchmarks alone, no test sleeps.
class NullConnector final : public Connector {
 public:
  // `count`, if any, must outlive every connection.
  explicit NullConnector(Duration opening = {}, OpenCount* count = nullptr)
      : opening_(opening), count_(count) {}

  absl::StatusOr<std::unique_ptr<Connection>> Open(const Bounds&) override {
    if (count_ != nullptr) count_->Add();
    if (opening_ > Duration::zero()) std::this_thread::sleep_for(opening_);
    return std::make_unique<NullConnection>(count_);
  }

 private:
  const Duration opening_;
  OpenCount* const count_;
};

}  // namespace emsdb

#endif  // EMSDB_TESTS_SUPPORT_NULL_DRIVER_H_
