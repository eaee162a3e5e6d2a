#include "tests/pool/simulation/witness.h"

#include <algorithm>

namespace emsdb {
namespace {

double Seconds(Instant when) {
  return std::chrono::duration<double>(when.time_since_epoch()).count() - 3600;
}

}  // namespace

Witness::Witness(const PoolLimits& limits, Scheduler& scheduler)
    : limits_(limits), scheduler_(scheduler), allowed_(limits.limit()), largest_(limits.limit()) {}

void Witness::Disconnect(int generation) {
  if (generation == kUnknown) blurred_ = true;
  if (generation != generation_) return;
  ++generation_;
  disconnected_ = scheduler_.step();
}

void Witness::HandedOut(int generation, Instant opened) {
  // What was decided before may be under way still.
  Require(blurred_ || generation >= generation_ || scheduler_.entered() <= disconnected_,
          "a connection is handed out that is older than a disconnect");
  Require(
      !scheduler_.punctual() || !limits_.recycle || scheduler_.Now() - opened < *limits_.recycle,
      "a connection is handed out that is too old");
}

void Witness::Resumes() {
  paused_ = false;
  last_resumed_ = scheduler_.step();
}

void Witness::Resizes(int size, int overflow) {
  resized_ = true;
  limits_.size = size;
  limits_.overflow = overflow;
  allowed_ = std::max(allowed_, limits_.limit());
  largest_ = std::max(largest_, limits_.limit());
}

Person& Witness::Arrives(Priority priority, Purpose purpose, Instant caller_deadline) {
  Person& person = persons_.emplace_back();
  person.number = static_cast<int>(persons_.size());
  person.priority = priority;
  person.purpose = purpose;
  person.caller_deadline = caller_deadline;
  StandInLine(person);
  if (person.leases()) ++leases_;
  scheduler_.Note("#%d arrives: class %d%s, deadline %.6f s", person.number,
                  static_cast<int>(priority), person.leases() ? ", lease" : "",
                  caller_deadline == kNever ? -1 : Seconds(caller_deadline));
  return person;
}

void Witness::StandInLine(Person& person) {
  person.arrived = scheduler_.Now();
  const bool no_wait = limits_.timeout == Duration::zero();
  person.pool_deadline = After(person.arrived, no_wait ? kConnectTimeout : limits_.timeout);
  person.arrived_in = scheduler_.step();
  person.found_in_line = static_cast<int>(in_line_.size());
  person.found_leases = leases_;
  person.place = ++places_taken_;
  in_line_[person.place] = &person;
}

void Witness::AsksAgain(Person& person) {
  scheduler_.Note("#%d asks again", person.number);
  person.grants = 0;
  person.shares = person.grouped = false;
  person.arriving = true;
  person.at = Person::At::kInLine;
  StandInLine(person);
}

Person& Witness::ArrivesInside(Instant caller_deadline) {
  Person& person = persons_.emplace_back();
  person.number = static_cast<int>(persons_.size());
  person.arrived = scheduler_.Now();
  person.caller_deadline = caller_deadline;
  person.at = Person::At::kLeft;
  person.inside = true;
  scheduler_.Note("#%d uses a transaction", person.number);
  return person;
}

void Witness::Submitted(Person& person) { person.arriving = false; }

void Witness::Chosen(Person& person) {
  scheduler_.Note("#%d is chosen", person.number);
  TakeFromLine(person);
  ++held_;
  if (person.shares) ++held_groups_;
  if (person.reports()) ++held_reports_;
  if (person.leases()) ++held_leases_;
  Require(!person.reports() || held_reports_ <= MayReport(), "reporting holds %d connections",
          held_reports_);
  Require(limits_.leased_limit() >= limits_.limit() || held_leases_ <= limits_.leased_limit() ||
              resized_,
          "leases hold %d connections", held_leases_);
}

void Witness::Joined(Person& person) {
  scheduler_.Note("#%d joins", person.number);
  Require(person.shares, "#%d joins a group and wants a connection for himself", person.number);
  TakeFromLine(person);
}

void Witness::TakeFromLine(Person& person) {
  ++chosen_;
  Require(person.at == Person::At::kInLine, "#%d is chosen and does not wait", person.number);
  Require(!person.overtaken, "#%d was overtaken in step %d", person.number,
          person.overtaken.value_or(0));
  Require(person.deadline() > person.arrived, "#%d is chosen, who came too late", person.number);
  Require(!paused_, "#%d is chosen in a pause", person.number);
  in_line_.erase(person.place);
  CheckTurn(person);
  person.at = Person::At::kChosen;
}

void Witness::Boarded(Person& person) {
  scheduler_.Note("#%d runs in a group", person.number);
  ++person.grants;
  Require(person.at == Person::At::kChosen && person.shares, "#%d runs in a group uncalled",
          person.number);
  Require(person.grants == 1 && person.refusals == 0, "#%d runs after %d grants, %d refusals",
          person.number, person.grants - 1, person.refusals);
}

void Witness::LeavesGroup(Person& person) {
  Require(person.at == Person::At::kChosen, "#%d leaves a group and is in none", person.number);
  person.at = Person::At::kLeft;
}

void Witness::GroupGivesBack(bool reports) {
  --held_;
  --held_groups_;
  if (reports) --held_reports_;
}

// He waits for one of the groups that run: for a moment he may.
bool Witness::IsHeld(const Person& person) const {
  return person.may_be_held() && held_groups_ >= PoolState::kGroups &&
         scheduler_.Now() < After(person.arrived, PoolState::kGroupPatience);
}

// Within a class who came first, and between classes whose time counts for more: so nobody starves
// while connections turn over.
void Witness::CheckTurn(const Person& chosen) {
  for (const auto& [place, other] : in_line_) {
    if ((other->reports() && held_reports_ >= MayReport()) || IsHeld(*other)) continue;
    const bool before = other->priority == chosen.priority
                            ? other->place < chosen.place
                            : other->stands_at() < chosen.stands_at();
    // His refusal may be under way: else he will not forgive it.
    if (before && !other->overtaken) other->overtaken = scheduler_.step();
  }
}

void Witness::BackInLine(Person& person) {
  scheduler_.Note("#%d was given a dead connection", person.number);
  LetsGo(person);
  person.grouped = false;
  person.at = Person::At::kInLine;
  in_line_[person.place] = &person;
}

void Witness::Granted(Person& person, const Connection& connection) {
  scheduler_.Note("#%d is granted", person.number);
  ++person.grants;
  Require(person.inside || person.at == Person::At::kChosen, "#%d is granted and was not chosen",
          person.number);
  Require(person.grants == 1 && person.refusals == 0, "#%d is granted after %d grants, %d refusals",
          person.number, person.grants - 1, person.refusals);
  if (person.inside) return;
  const bool clean =
      !connection.session_changed() &&
      (connection.broken() || connection.transaction_state() == TransactionState::kIdle);
  Require(clean, "#%d meets what another caller has left", person.number);
}

void Witness::Refused(Person& person) {
  ++refused_;
  ++person.refusals;
  Require(person.refusals == 1 && person.grants == 0, "#%d is refused after %d grants, %d refusals",
          person.number, person.grants, person.refusals - 1);
  Require(!person.overtaken || scheduler_.entered() <= *person.overtaken,
          "#%d waited when he was overtaken in step %d", person.number,
          person.overtaken.value_or(0));
  const auto reason = announced_.find(scheduler_.current_task());
  Require(reason != announced_.end(), "#%d is refused without a reason", person.number);
  if (reason != announced_.end()) CheckReason(person, reason->second);
  announced_.erase(scheduler_.current_task());
  Leaves(person);
}

void Witness::CheckReason(const Person& person, RefusalReason reason) {
  scheduler_.Note("#%d is refused: %s", person.number, std::string(RefusalReasonName(reason)));
  const Instant now = scheduler_.Now();
  const bool no_wait = person.arriving && limits_.timeout == Duration::zero();
  const bool over = now >= person.pool_deadline && person.pool_deadline < person.caller_deadline;
  bool holds = false;
  switch (reason) {
    case RefusalReason::kTimedOut:
      holds = over || no_wait;
      break;
    case RefusalReason::kDeadline:
      holds = now >= person.caller_deadline &&
              (person.arriving || person.caller_deadline <= person.pool_deadline);
      break;
    case RefusalReason::kLineFull:
      holds = person.arriving && person.found_in_line >= limits_.max_waiters;
      break;
    case RefusalReason::kLeaseLimit:
      holds = person.arriving && person.leases() &&
              (resized_ || (person.found_leases >= limits_.leased_limit() &&
                            limits_.leased_limit() < limits_.limit()));
      break;
    case RefusalReason::kConnectFailed:
      holds = last_told_ >= person.arrived_in;
      break;
    case RefusalReason::kDown:
      holds = LooksDown() || last_down_ >= scheduler_.entered();
      break;
    case RefusalReason::kPaused:
      holds = (over || no_wait) && (paused_ || last_resumed_ >= scheduler_.entered());
      break;
    case RefusalReason::kHopeless:
      holds = person.arriving && limits_.refuse_hopeless && person.caller_deadline != kNever &&
              person.priority != Priority::kDispatch;
      break;
    case RefusalReason::kShutdown:
      holds = draining_;
      break;
  }
  Require(holds, "#%d is refused for a reason that is not true: %s", person.number,
          std::string(RefusalReasonName(reason)));
}

void Witness::Withdrawn(Person& person) {
  scheduler_.Note("#%d withdraws", person.number);
  Require(!person.overtaken, "#%d waited when he was overtaken in step %d", person.number,
          person.overtaken.value_or(0));
  Require(person.cancelled, "#%d has left the line by himself", person.number);
  Leaves(person);
}

void Witness::RefusedOrWithdrawn(Person& person) {
  Announced() ? Refused(person) : Withdrawn(person);
}

void Witness::Leaves(Person& person) {
  Require(person.at == Person::At::kInLine, "#%d leaves the line and was not in it", person.number);
  in_line_.erase(person.place);
  person.at = Person::At::kLeft;
  if (person.leases()) --leases_;
}

void Witness::GivesBack(Person& person) {
  scheduler_.Note("#%d gives back", person.number);
  LetsGo(person);
  person.at = Person::At::kLeft;
  if (person.leases()) --leases_;
}

void Witness::LetsGo(Person& person) {
  Require(person.at == Person::At::kChosen, "#%d gives back what he does not have", person.number);
  --held_;
  if (person.shares) --held_groups_;
  if (person.reports()) --held_reports_;
  if (person.leases()) --held_leases_;
}

void Witness::Answered(Person& person) {
  scheduler_.Note("#%d is answered", person.number);
  ++person.answers;
  Require(person.answers == 1, "#%d is answered %d times", person.number, person.answers);
}

void Witness::PlacesChanged() {
  Require(places_.all() <= allowed_, "the database sees %d connections, allowed are %d",
          places_.all(), allowed_);
}

void Witness::Checked(const Pool& pool) {
  const PoolState::Counts counts = pool.numbers().counts;
  const int used = counts.idle + counts.leased + counts.opening + counts.closing;
  Require(used <= allowed_, "%d slots are used of %d", used, allowed_);
  allowed_ = std::max(limits_.limit(), std::min(allowed_, used));
  if (SilentNow()) silent_ = true;
  if (LooksDown()) last_down_ = scheduler_.step();
  Require(std::min({counts.idle, counts.leased, counts.opening, counts.closing, counts.waiting,
                    counts.leases}) >= 0,
          "a count is below zero");
  Require(counts.idle <= limits_.size, "%d connections are idle", counts.idle);
  Require(places_.all() <= used, "the database sees %d connections, the pool counts %d",
          places_.all(), used);
  Require(counts.leased == held_, "%d hold a connection, the pool counts %d", held_, counts.leased);
  if (counts.idle == 0 || paused_) return;
  const auto others = std::count_if(persons_.begin(), persons_.end(), [](const Person& person) {
    return person.at == Person::At::kInLine && (person.reports() || person.may_be_held());
  });
  Require(counts.waiting <= others, "somebody waits while a connection is free");
}

void Witness::Quiet(const Pool& pool) {
  const PoolNumbers numbers = pool.numbers();
  const PoolState::Counts& counts = numbers.counts;
  const int waiting = static_cast<int>(in_line_.size());
  Require(counts.waiting == waiting, "%d wait, the pool counts %d", waiting, counts.waiting);
  Require(counts.opening == places_.opening && counts.closing == places_.closing &&
              counts.idle + counts.leased == places_.open,
          "opening, open and closing connections: %d %d %d, the pool counts %d %d %d",
          places_.opening, places_.open, places_.closing, counts.opening,
          counts.idle + counts.leased, counts.closing);
  Require(counts.leases == leases_, "%d leases, the pool counts %d", leases_, counts.leases);
  Require(waiting <= limits_.max_waiters + 2 * largest_, "%d wait", waiting);
  if (numbers.mode == PoolMode::kDown) {
    Require(LooksDown(), "it counts as down after %d failures", failures_in_a_row_);
    Require(waiting == 0, "%d wait for a database that is down", waiting);
  }

  const Instant now = scheduler_.Now();
  int others = 0, reports = 0, sharing = 0;
  const bool may_report = MayReport() > held_reports_;
  for (const auto& [place, person] : in_line_) {
    if (person->shares) {
      if (!IsHeld(*person) && (may_report || !person->reports())) sharing = 1;  // one for all
    } else {
      ++(person->reports() ? reports : others);
    }
    Require(person->deadline() > now, "#%d waits beyond the time", person->number);
    Require(!person->cancelled, "#%d is cancelled and waits", person->number);
    Require(!person->overtaken, "#%d was overtaken in step %d and waits", person->number,
            person->overtaken.value_or(0));
  }
  for (const Person& person : persons_) {
    Require(person.answers > 0 || person.caller_deadline >= now, "#%d has no answer in time",
            person.number);
  }
  const int eligible = others + sharing + std::min(reports, MayReport() - held_reports_);
  if (eligible <= 0 || paused_) return;
  Require(places_.open == held_, "somebody waits while %d connections are open and %d are held",
          places_.open, held_);
  if (draining_) {
    Require(held_ + places_.opening > 0, "somebody waits whom nobody can serve");
  } else if (held_ == held_leases_ && !LooksDown()) {
    // No statement will end soon and give its connection back: there is one opened for each.
    Require(places_.opening >= eligible || places_.all() >= limits_.limit(),
            "%d wait, %d connections are being opened", eligible, places_.opening);
  }
}

bool Witness::AllAnswered() const {
  return std::all_of(persons_.begin(), persons_.end(),
                     [](const Person& person) { return person.answers > 0; });
}

void Witness::Over() {
  for (const Person& person : persons_) {
    Require(person.answers == 1, "#%d was answered %d times", person.number, person.answers);
    Require(person.at == Person::At::kLeft, "#%d has not left", person.number);
  }
  Require(places_.all() == 0, "%d connections were never closed", places_.all());
  Require(held_ == 0 && leases_ == 0, "%d still hold a connection, %d claim a lease", held_,
          leases_);
  Require(seen_opened_ == opened_ && seen_closed_ == opened_,
          "%d connections were opened; the observer heard of %d opened, %d closed", opened_,
          seen_opened_, seen_closed_);
  Require(seen_waited_ == chosen_ && seen_refused_ == refused_,
          "%d were chosen and %d refused; the observer heard of %d and %d", chosen_, refused_,
          seen_waited_, seen_refused_);
}

void Witness::Opened(Duration /*took*/) {
  ++seen_opened_;
  scheduler_.MayYield();
  failures_in_a_row_ = 0;  // the pool takes its lock now
  silent_ = false;
}

void Witness::OpenFailed() {
  scheduler_.MayYield();
  CannotOpen();  // the pool takes its lock now
}

void Witness::Closed(CloseReason reason) {
  ++seen_closed_;
  scheduler_.Note("closed: %s", std::string(CloseReasonName(reason)));
  scheduler_.MayYield();
}

void Witness::Waited(Duration /*wait*/) {
  ++seen_waited_;
  scheduler_.MayYield();
}

void Witness::Refused(RefusalReason reason) {
  ++seen_refused_;
  scheduler_.MayYield();
  announced_[scheduler_.current_task()] = reason;
}

void Witness::WentDown(const absl::Status& why) {
  scheduler_.Note("down: %s", std::string(why.message()));
  scheduler_.MayYield();
}

void Witness::CameBack(Duration /*after*/) {
  scheduler_.Note("not down any more");
  scheduler_.MayYield();
}

// The pool counts from its order to open, which its worker may take up a good while later: so no
// more than the half of what it waits for can be demanded here.
bool Witness::SilentNow() const {
  return std::any_of(openings_.begin(), openings_.end(), [&](const auto& opening) {
    return scheduler_.Now() - opening.second >= Outage::kLongestSilence / 2;
  });
}

// Some connections are left to the other classes; of one or two, none.
int Witness::MayReport() const {
  const int limit = limits_.limit();
  return limit <= 2 ? limit : limit - std::max(1, limit / 5);
}

}  // namespace emsdb
