#include "client/cli/output.h"

#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace emsdb::client::cli {

void Output::Flush() {
  std::string_view rest = buffer_;
  while (status_.ok() && !rest.empty()) {
    const ssize_t written = ::write(fd_, rest.data(), rest.size());
    if (written >= 0) {
      rest.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      status_ = absl::InternalError(
          absl::StrCat("cannot write the output: ", std::generic_category().message(errno)));
    }
  }
  buffer_.clear();
}

}  // namespace emsdb::client::cli
