// Which line of the file a row came from, long after the row was sent.
#ifndef EMSDB_CLIENT_CLI_ROW_LINES_H_
#define EMSDB_CLIENT_CLI_ROW_LINES_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

namespace emsdb::client::cli {

// Remembers only where lines and rows stop going side by side: a file without line feeds in its
// fields takes one entry, any other one as many as there is memory for, and forgets its oldest
// rows.
class RowLines {
 public:
  static constexpr std::size_t kMostJumps = 100000;

  // The next row, from 1, begins on this line.
  void Add(std::int64_t line) {
    ++rows_;
    if (!jumps_.empty() && jumps_.back().distance == line - rows_) return;
    jumps_.push_back({rows_, line - rows_});
    if (jumps_.size() > kMostJumps) jumps_.pop_front();
  }

  std::optional<std::int64_t> LineOf(std::int64_t row) const {
    if (row < 1 || row > rows_) return std::nullopt;
    for (auto jump = jumps_.rbegin(); jump != jumps_.rend(); ++jump) {
      if (jump->row <= row) return row + jump->distance;
    }
    return std::nullopt;
  }

 private:
  struct Jump {
    std::int64_t row;
    std::int64_t distance;  // of the lines from the rows, from here on
  };
  std::deque<Jump> jumps_;
  std::int64_t rows_ = 0;
};

}  // namespace emsdb::client::cli

#endif  // EMSDB_CLIENT_CLI_ROW_LINES_H_
