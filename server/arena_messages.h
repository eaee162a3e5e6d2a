// Where the request and the response of a unary RPC live: on one arena, so that neither a field nor
// a cell costs an allocation, and all of them end at one stroke.
#ifndef EMSDB_SERVER_ARENA_MESSAGES_H_
#define EMSDB_SERVER_ARENA_MESSAGES_H_

#include <google/protobuf/arena.h>
#include <grpcpp/support/message_allocator.h>

#include <array>
#include <cstddef>

namespace emsdb {

// For SetMessageAllocatorFor_...; outlives the server. Safe for any number of threads.
template <typename Request, typename Response>
class ArenaMessages final : public grpc::MessageAllocator<Request, Response> {
 public:
  using Holder = grpc::MessageHolder<Request, Response>;

  // gRPC releases it when the call is done.
  Holder* AllocateMessages() override { return new OnArena; }

 private:
  class OnArena final : public Holder {
   public:
    OnArena() : arena_(first_block_.data(), first_block_.size()) {
      this->set_request(google::protobuf::Arena::CreateMessage<Request>(&arena_));
      this->set_response(google::protobuf::Arena::CreateMessage<Response>(&arena_));
    }
    void Release() override { delete this; }

   private:
    // A request and the head of its response. With more, a call that waits in line, as thousands
    // may, would be larger, and malloc would not keep such pieces at hand for the next call.
    static constexpr std::size_t kFirstBlock = 768;

    alignas(std::max_align_t) std::array<char, kFirstBlock> first_block_;
    google::protobuf::Arena arena_;  // behind its first block, which must outlive it
  };
};

}  // namespace emsdb

#endif  // EMSDB_SERVER_ARENA_MESSAGES_H_
