#include "client/cli/session.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <iostream>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "client/cli/terminal_text.h"

namespace emsdb::client::cli {
namespace {

absl::StatusOr<std::string> ReadAll(int fd) {
  std::string text;
  std::array<char, 1 << 16> part;
  while (true) {
    const ssize_t got = ::read(fd, part.data(), part.size());
    if (got == 0) return text;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return absl::InternalError(std::generic_category().message(errno));
    text.append(part.data(), static_cast<std::size_t>(got));
  }
}

absl::Status ReadInto(const std::string& path, std::string& into) {
  if (path.empty()) return absl::OkStatus();
  absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok()) return text.status();
  into = *std::move(text);
  return absl::OkStatus();
}

absl::StatusOr<std::optional<Tls>> ReadTls(const TlsFiles& files) {
  if (!files.enabled && files.roots.empty() && files.certificate.empty() && files.key.empty() &&
      files.server_name.empty()) {
    return std::nullopt;
  }
  Tls tls{.server_name = files.server_name};
  if (absl::Status status = ReadInto(files.roots, tls.roots); !status.ok()) return status;
  if (absl::Status status = ReadInto(files.certificate, tls.certificate); !status.ok()) {
    return status;
  }
  if (absl::Status status = ReadInto(files.key, tls.key); !status.ok()) return status;
  return tls;
}

}  // namespace

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  const int fd = path == "-" ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": ", std::generic_category().message(errno)));
  }
  absl::StatusOr<std::string> text = ReadAll(fd);
  if (fd != STDIN_FILENO) ::close(fd);
  if (!text.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": ", std::string(text.status().message())));
  }
  if (text->starts_with("\xEF\xBB\xBF")) text->erase(0, 3);
  return text;
}

absl::StatusOr<ConnectOptions> ReadConnectOptions(const Options& options) {
  ConnectOptions connect{.address = options.address,
                         .token = options.token,
                         .caller = options.caller,
                         .usual_priority = options.usual_priority};
  if (absl::Status status = ReadInto(options.token_file, connect.token); !status.ok()) {
    return status;
  }
  connect.token = std::string(absl::StripAsciiWhitespace(connect.token));
  absl::StatusOr<std::optional<Tls>> tls = ReadTls(options.tls);
  if (!tls.ok()) return tls.status();
  connect.tls = *std::move(tls);
  return connect;
}

ExitStatus Report(const absl::Status& status, const StatementSource& source) {
  std::cerr << ErrorReport(status, source) << std::flush;
  return ExitStatusFor(status);
}

ExitStatus ReportUsage(const absl::Status& status, const std::string& what) {
  std::cerr << "emsdb: " << what << (what.empty() ? "" : ": ")
            << EscapeForTerminal(std::string(status.message())) << std::endl;
  return ExitStatus::kUsage;
}

ExitStatus FinishOutput(Output& output, CallState call) {
  output.Flush();
  if (output.status().ok()) return ExitStatus::kOk;
  std::cerr << "emsdb: " << std::string(output.status().message())
            << (call == CallState::kDone ? "; the call itself was done"
                                         : "; the call was broken off, and what it writes may have "
                                           "been done or not")
            << std::endl;
  return ExitStatus::kOutputFailed;
}

}  // namespace emsdb::client::cli
