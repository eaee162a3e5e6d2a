#include "client/cli/input_file.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"

namespace emsdb::client::cli {
namespace {

constexpr std::size_t kBlock = 64U << 10;
constexpr int kLookMilliseconds = 200;

absl::Status Trouble(const std::string& path) {
  return absl::InvalidArgumentError(
      absl::StrCat(path, ": ", std::generic_category().message(errno)));
}

}  // namespace

absl::StatusOr<InputFile> InputFile::Open(const std::string& path) {
  const int fd = path == "-" ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat about {};
  if (fd < 0 || fstat(fd, &about) != 0) return Trouble(path);
  return InputFile(path, fd, S_ISREG(about.st_mode) ? about.st_size : 0);
}

InputFile::InputFile(std::string path, int fd, std::int64_t size)
    : path_(std::move(path)), fd_(fd), size_(size), buffer_(kBlock) {}

InputFile::InputFile(InputFile&& other) noexcept
    : path_(std::move(other.path_)),
      fd_(std::exchange(other.fd_, -1)),
      size_(other.size_),
      bytes_read_(other.bytes_read_),
      buffer_(std::move(other.buffer_)) {}

InputFile::~InputFile() {
  if (fd_ > STDIN_FILENO) ::close(fd_);
}

absl::StatusOr<std::string_view> InputFile::Read(const std::function<absl::Status()>& idle,
                                                 const CancelSource* cancel) {
  for (;;) {
    if (cancel != nullptr && cancel->cancelled()) return absl::CancelledError("cancelled");
    pollfd waiting = {fd_, POLLIN, 0};
    if (poll(&waiting, 1, kLookMilliseconds) == 0) {
      absl::Status status = idle ? idle() : absl::OkStatus();
      if (!status.ok()) return status;
      continue;
    }
    const ssize_t got = ::read(fd_, buffer_.data(), buffer_.size());
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got < 0) return Trouble(path_);
    bytes_read_ += got;
    return std::string_view(buffer_.data(), static_cast<std::size_t>(got));
  }
}

}  // namespace emsdb::client::cli
