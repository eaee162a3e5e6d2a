// A file or standard input, read piece by piece, that can be broken off while it is waited for.
#ifndef EMSDB_CLIENT_CLI_INPUT_FILE_H_
#define EMSDB_CLIENT_CLI_INPUT_FILE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "client/cancel.h"

namespace emsdb::client::cli {

class InputFile {
 public:
  // "-" is standard input. INVALID_ARGUMENT names the file.
  static absl::StatusOr<InputFile> Open(const std::string& path);
  InputFile(InputFile&& other) noexcept;
  InputFile& operator=(InputFile&&) = delete;
  ~InputFile();

  // The next bytes, valid until the next call; none at the end. While nothing comes `idle` is
  // called now and then, whose error ends the wait, as `cancel` does; both may be null.
  absl::StatusOr<std::string_view> Read(const std::function<absl::Status()>& idle,
                                        const CancelSource* cancel);

  std::int64_t bytes_read() const { return bytes_read_; }
  std::int64_t size() const { return size_; }  // 0: nobody knows

 private:
  InputFile(std::string path, int fd, std::int64_t size);

  std::string path_;
  int fd_;
  std::int64_t size_;
  std::int64_t bytes_read_ = 0;
  std::vector<char> buffer_;
};

}  // namespace emsdb::client::cli

#endif  // EMSDB_CLIENT_CLI_INPUT_FILE_H_
