// Standard output that does not lose errors: a closed pipe or a full disk is an error of the call.
#ifndef EMSDB_CLIENT_CLI_OUTPUT_H_
#define EMSDB_CLIENT_CLI_OUTPUT_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace emsdb::client::cli {

// Buffers; after the first error it drops what it is given and keeps the error. One thread.
class Output {
 public:
  explicit Output(int fd) : fd_(fd) {}

  void Write(std::string_view text) {
    buffer_.append(text);
    if (buffer_.size() >= kBufferBytes) Flush();
  }

  void Flush();

  const absl::Status& status() const { return status_; }

 private:
  static constexpr std::size_t kBufferBytes = 64 << 10;

  int fd_;
  std::string buffer_;
  absl::Status status_;
};

}  // namespace emsdb::client::cli

#endif  // EMSDB_CLIENT_CLI_OUTPUT_H_
