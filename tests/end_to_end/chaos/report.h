// What a scenario found: figures, which are printed and never decide, and broken promises, which
// do. Used by the tests with small numbers and by the benchmark with full ones.
#ifndef EMSDB_TESTS_END_TO_END_CHAOS_REPORT_H_
#define EMSDB_TESTS_END_TO_END_CHAOS_REPORT_H_

#include <string>
#include <utility>
#include <vector>

namespace emsdb::chaos {

struct Figure {
  std::string name;
  std::string value;
  std::string goal;  // empty: none
};

class Report {
 public:
  void Print(std::string name, std::string value, std::string goal = "") {
    figures_.push_back({std::move(name), std::move(value), std::move(goal)});
  }
  // `promise` as a sentence that is true where all is well, with the numbers that were found.
  void Require(std::string promise, bool kept) {
    ++promises_;
    if (!kept) broken_.push_back(std::move(promise));
  }

  const std::vector<Figure>& figures() const { return figures_; }
  const std::vector<std::string>& broken() const { return broken_; }
  int promises() const { return promises_; }

 private:
  std::vector<Figure> figures_;
  std::vector<std::string> broken_;
  int promises_ = 0;
};

}  // namespace emsdb::chaos

#endif  // EMSDB_TESTS_END_TO_END_CHAOS_REPORT_H_
