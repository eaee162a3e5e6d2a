// What the program's exit status says; also in `emsdb --help`.
#ifndef EMSDB_CLIENT_CLI_EXIT_STATUS_H_
#define EMSDB_CLIENT_CLI_EXIT_STATUS_H_

namespace emsdb::client::cli {

enum class ExitStatus : int {
  kOk = 0,
  kOutputFailed = 1,  // the answer could not be written, or memory was used up
  kUsage = 2,         // the command line, or a file it names
  kRefused = 3,       // the gateway or the database said no, or never would have taken it
  kUnreachable = 4,   // the gateway or the database is away; nothing was done
  kUnknown = 5,       // nobody knows whether it was done
  kGaveUp = 6,        // deadline, cancelled, or something was used up
};

}  // namespace emsdb::client::cli

#endif  // EMSDB_CLIENT_CLI_EXIT_STATUS_H_
