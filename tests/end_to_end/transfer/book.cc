#include "tests/end_to_end/transfer/book.h"

#include <gtest/gtest.h>

#include <array>
#include <sstream>
#include <utility>

#include "client/error_info.h"

namespace emsdb::transfer {
namespace {

constexpr std::array kFates = {Fate::kDone, Fate::kNothing, Fate::kUnknown, Fate::kNoAnswer};
constexpr std::array kWays = {Way::kBatch,  Way::kLease,      Way::kInlineCommit,
                              Way::kStream, Way::kResolvable, Way::kOneTrip};

bool Agrees(Fate fate, int rows) {
  switch (fate) {
    case Fate::kDone:
      return rows == 1;
    case Fate::kNothing:
      return rows == 0;
    case Fate::kUnknown:
    case Fate::kNoAnswer:
      break;
  }
  return rows <= 1;
}

bool Agrees(v1::CommitOutcome outcome, int rows) {
  if (outcome == v1::COMMIT_OUTCOME_COMMITTED) return rows == 1;
  return outcome == v1::COMMIT_OUTCOME_ROLLED_BACK && rows == 0;
}

int RowsOf(const Ledger& ledger, const Order& order) {
  const auto found = ledger.find(order);
  return found == ledger.end() ? 0 : found->second;
}

}  // namespace

void Book::Add(Entry entry) {
  MutexLock lock(mutex_);
  entries_.push_back(std::move(entry));
}

std::string Book::Describe(const Entry& entry, int rows) {
  std::ostringstream text;
  text << "transfer " << entry.order.number << " attempt " << entry.order.attempt << " by "
       << NameOf(entry.way) << ": " << NameOf(entry.verdict.fate) << " ("
       << entry.verdict.answer.status << "), token '" << entry.verdict.answer.token << "', told "
       << (entry.told ? v1::CommitOutcome_Name(*entry.told) : "nothing") << ", in the ledger "
       << rows << " times";
  return text.str();
}

void Book::CheckAgainst(const Ledger& ledger, const Resolver& resolver, Memory memory) const {
  MutexLock lock(mutex_);
  std::map<int, int> of_number;
  int known = 0;
  for (const Entry& entry : entries_) {
    const int rows = RowsOf(ledger, entry.order);
    known += rows;
    of_number[entry.order.number] += rows;
    EXPECT_TRUE(Agrees(entry.verdict.fate, rows)) << Describe(entry, rows);
    if (entry.told) {
      EXPECT_TRUE(Agrees(*entry.told, rows)) << Describe(entry, rows);
    }
    const std::string& token = entry.verdict.answer.token;
    if (token.empty()) continue;
    const auto outcome = resolver(token);
    if (outcome) {
      EXPECT_TRUE(Agrees(*outcome, rows))
          << v1::CommitOutcome_Name(*outcome) << " in the end; " << Describe(entry, rows);
    } else {
      EXPECT_EQ(memory, Memory::kLostByCrash) << "cannot be told; " << Describe(entry, rows);
    }
  }
  for (const auto& [number, rows] : of_number) {
    EXPECT_LE(rows, 1) << "transfer " << number << " was done " << rows << " times";
  }
  int all = 0;
  for (const auto& [order, rows] : ledger) all += rows;
  EXPECT_EQ(all, known) << "the ledger has orders that nobody gave";
}

int Book::Count(Fate fate) const {
  MutexLock lock(mutex_);
  int count = 0;
  for (const Entry& entry : entries_) count += entry.verdict.fate == fate ? 1 : 0;
  return count;
}

std::string Book::Summary() const {
  MutexLock lock(mutex_);
  std::map<std::pair<Fate, Way>, int> counts;
  std::map<Fate, int> tokens;
  std::map<std::string, int> causes;
  for (const Entry& entry : entries_) {
    ++counts[{entry.verdict.fate, entry.way}];
    if (!entry.verdict.answer.token.empty()) ++tokens[entry.verdict.fate];
    if (entry.verdict.fate == Fate::kDone) continue;
    ++causes[absl::StatusCodeToString(entry.verdict.answer.status.code()) + " " +
             client::ErrorInfoOf(entry.verdict.answer.status).reason];
  }
  std::ostringstream text;
  text << entries_.size() << " attempts\n";
  for (const Fate fate : kFates) {
    text << "  " << NameOf(fate) << ":";
    for (const Way way : kWays) text << " " << NameOf(way) << " " << counts[{fate, way}] << ",";
    text << " with a token " << tokens[fate] << "\n";
  }
  for (const auto& [cause, count] : causes) text << "  " << cause << ": " << count << "\n";
  return text.str();
}

std::vector<int> BalancesAfter(const Ledger& ledger) {
  std::vector<int> balances(kAccounts, kOpeningBalance);
  for (const auto& [order, rows] : ledger) {
    balances[static_cast<std::size_t>(order.source - 1)] -= rows * order.amount;
    balances[static_cast<std::size_t>(order.target - 1)] += rows * order.amount;
  }
  return balances;
}

}  // namespace emsdb::transfer
