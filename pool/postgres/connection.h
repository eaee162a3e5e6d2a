// The Connection contract on PostgreSQL. See pool/connection.h for what it promises.
#ifndef EMSDB_POOL_POSTGRES_CONNECTION_H_
#define EMSDB_POOL_POSTGRES_CONNECTION_H_

#include <libpq-fe.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "pool/connection.h"
#include "pool/postgres/canceller.h"
#include "pool/postgres/exchange.h"
#include "pool/postgres/link.h"
#include "pool/postgres/session_changes.h"
#include "pool/postgres/statement_cache.h"
#include "pool/postgres/step.h"
#include "pool/postgres/text_facts.h"
#include "pool/postgres/type_names.h"
#include "pool/postgres/values.h"
#include "pool/postgres/wire.h"

namespace emsdb {

// What all connections of one connector share.
struct PostgresShared {
  explicit PostgresShared(const Clock& the_clock) : clock(the_clock) {}

  const Clock& clock;
  std::string application_name;
  // How long a cancelled statement, and the cancel, may take to end before the connection is
  // given up.
  Duration cancel_grace{};
  SessionReset session_reset = SessionReset::kWhenChanged;
  std::size_t statement_cache = 0;  // of each connection
  ServerDetail server_detail = ServerDetail::kLeftOut;
  // How often a statement that may change the schema was committed on any of them.
  std::atomic<std::uint64_t> schema_changes{0};
  Canceller canceller;
  TypeNames types;
};

// One session. Everything that is sent is a *unit*: commands in libpq's pipeline and one Sync, one
// round trip.
//
// An autocommit statement is one unit: its settings (time-out, caller), local to the implicit
// transaction that a unit is, and the statement. The server commits when it comes to the Sync, so
// OK is said only after the Sync's answer: a deferred constraint fails there.
//
// A batch is BEGIN, settings and statements, and COMMIT in a second trip, when all promises have
// been looked at and the sink has taken all rows. One that is declared read-only, which the server
// enforces, and whose texts look like reads and call no function, has nothing to commit: it is one
// unit, a transaction too, in one trip. (What a view's function may do in a read-only transaction
// all the same, NOTIFY for one, stays done if a promise was missed.) It does not suffice that the
// texts look like reads: then a view's function may write, and that must be undone.
//
// With the Sync in the same packet the server has committed before the first row arrives here, too
// late for a sink that does not want it. So a statement that may write *and* returns rows
// (INSERT ... RETURNING, CALL, ...) is run as a batch of one: BEGIN, settings and statement, and
// COMMIT in a second trip once the sink has taken all rows. No buffer can spare that trip, since
// the sink's answer must be known before the COMMIT leaves. Writes without rows and everything that
// looks like a read stay at one trip. What a function in a SELECT has written may be committed
// although the sink refused the rows, or the answer was lost: so the outcome is known only of a
// statement that is declared read-only, which the server enforces, or of one that looks like a read
// and calls no function (CallsNoFunction); of any other it is unknown, unless the server said that
// it failed.
//
// A session that is reset before every use has one unit more in the packet that begins a use: the
// reset, and behind its Sync the unit as ever, whose settings check that the reset was done to its
// end and else fail, so that nothing runs in a session of unknown state. Two transactions, since
// what a session's defaults say of a transaction holds from its first command on.
//
// A statement that comes again is prepared in the packet of its second use (StatementCache), and
// what is dropped for it goes with the next packet that begins outside a transaction, behind a Sync
// of its own. Where what was prepared is found outdated, a statement by itself is run once more,
// and nobody sees it; a transaction is over (PLAN_CHANGED). In a session that a statement may have
// changed, or whose time zone is another one, nothing prepared is used: it might mean something
// else there.
//
// A group of reads is a unit for each, settings included, sent as one packet. The members' answers
// are read, and handed on, one by one.
//
// A statement that refuses transactions is a unit without settings, between two others in the same
// packet: one that makes its time-out and its caller settings of the session, and one that resets
// them. If this cannot be seen to have been done the session counts as changed.
//
// Used by one thread at a time; see Connection.
class PostgresConnection final : public Connection {
 public:
  PostgresConnection(std::unique_ptr<Link> link, std::shared_ptr<PostgresShared> shared);

  // Readies a new session: one round trip.
  absl::Status Prepare(const Bounds& bounds);

  absl::StatusOr<Completion> Execute(const Statement& statement, const RunOptions& options,
                                     const Bounds& bounds, RowSink& sink) override;
  void ExecuteGroup(std::span<GroupedRead* const> reads, const Bounds& bounds) override;
  bool sends_ahead() const override;
  bool SendRead(GroupedRead& read) override;
  void EndRead(const Bounds& bounds) override;
  absl::Status ExecuteBatch(std::span<const GuardedStatement> statements,
                            const TransactionOptions& transaction, const RunOptions& options,
                            const Bounds& bounds, BatchSink& sink) override;
  absl::StatusOr<std::int64_t> CopyIn(const CopyTarget& target, const RunOptions& options,
                                      const Bounds& bounds, RowSource& source) override;
  absl::Status Begin(const TransactionOptions& transaction, const RunOptions& options,
                     const Bounds& bounds) override;
  using Connection::Commit;
  absl::Status Commit(const Bounds& bounds, CommitWitness* witness) override;
  absl::StatusOr<CommitFate> OutcomeOf(const CommitId& id, const Bounds& bounds) override;
  absl::Status Savepoint(const SavepointAction& action, const Bounds& bounds) override;
  absl::Status RollBack(const Bounds& bounds) override;
  absl::Status Ping(const Bounds& bounds) override;
  bool LooksAlive() override;
  TransactionState transaction_state() const override { return state_; }
  bool broken() const override { return state_ == TransactionState::kUnknown; }
  bool given_up() const override { return given_up_; }
  bool session_changed() const override { return !changes_.empty(); }
  absl::Status ResetSession(const Bounds& bounds) override;
  bool outgrown() const override;

 private:
  // What a lost answer means.
  enum class Doubt {
    kNone,         // nothing was changed
    kWrite,        // it may have been done
    kTransaction,  // it was not: the transaction died with the connection
    kCommit        // the transaction may be committed
  };

  // What was under way when the connection was lost.
  enum class Loss { kIdle, kInTransaction, kInCommit };

  struct Member {
    const Statement* statement;
    std::shared_ptr<const PostgresFacts> facts;
    std::optional<std::int64_t> expect_rows;
    BoundParameters parameters;
    StatementCache::Use use;  // how it was sent
  };
  // Refuses what cannot be sent.
  static absl::StatusOr<Member> MemberFor(const Statement& statement,
                                          std::optional<std::int64_t> expect_rows = std::nullopt);

  struct BatchEnd {
    absl::Status status;
    int failed_at = -1;
    bool settings_missing = false;
    bool outdated = false;          // a prepared statement was; nothing of it took effect
    bool suspected = false;         // no more than that
    std::size_t done = 0;           // statements that ended well
    std::uint64_t transaction = 0;  // its id, where it was asked for and there is one

    // The first failure stays.
    void Note(const StepEnd& end, int statement);
  };
  enum class AskId { kNo, kYes };

  // Broken, failed, out of time or told to stop: then nothing is sent.
  absl::Status CheckReady(const Bounds& bounds, Stage stage);
  absl::Status CheckTime(const Bounds& bounds, Stage stage) const;
  absl::Status CheckIdle() const;
  Doubt DoubtOf(const PostgresFacts& facts, const RunOptions& options) const;
  Exchange Start(const Bounds& bounds);

  // Each queues one command; false if the connection is gone.
  bool QueueText(const std::string& sql);
  bool QueueSettings(const RunOptions& options, const Bounds& bounds);
  bool QueueStatement(Member& member);
  bool QueueIdleTimeout(Duration timeout);
  bool QueueSync();

  absl::StatusOr<Completion> RunOne(Member member, const RunOptions& options, const Bounds& bounds,
                                    RowSink& sink);
  absl::StatusOr<Completion> RunUnwrapped(const Member& member, const RunOptions& options,
                                          const Bounds& bounds, RowSink& sink);
  // Resets the session, where each use begins with that, in a trip of its own.
  absl::Status BeginFresh(const Bounds& bounds);
  absl::StatusOr<Completion> RunHeld(Member member, const RunOptions& options, const Bounds& bounds,
                                     RowSink& sink);
  BatchEnd RunBatch(std::span<Member> members, const TransactionOptions& transaction,
                    const RunOptions& options, const Bounds& bounds, BatchSink& sink);
  BatchEnd ReadBatch(Exchange& exchange, const TransactionOptions& transaction,
                     std::span<const Member> members, AskId ask_id, BatchSink& sink,
                     std::vector<RowForwarder>& rows);
  static bool HasNothingToCommit(std::span<const Member> members,
                                 const TransactionOptions& transaction);
  BatchEnd RunReadBatch(std::span<Member> members, const RunOptions& options, const Bounds& bounds,
                        BatchSink& sink);
  void ReadSettings(Exchange& exchange, BatchEnd& batch);
  // Hands their rows on until the first thing that is wrong.
  void ReadMembers(Exchange& exchange, std::span<const Member> members, Access access,
                   BatchSink& sink, std::vector<RowForwarder>& rows, BatchEnd& batch);
  // One of a group, as it was sent.
  struct SentRead {
    GroupedRead* read;
    std::optional<GroupedBatch> batch;
    absl::InlinedVector<Member, 1> members;
  };
  // Adds its members; false if it cannot be sent.
  static bool FindMembers(SentRead& sent);
  // False if the connection is gone.
  bool QueueRead(SentRead& sent);
  std::vector<GroupedRead*> SendGroup(std::span<GroupedRead* const> reads);
  void ReadGroup(const Bounds& bounds);
  StepEnd ReadGroupSettings(Exchange& exchange);
  absl::StatusOr<Completion> ReadRead(Exchange& exchange, const SentRead& sent);
  absl::StatusOr<Completion> ReadReads(Exchange& exchange, const SentRead& sent);
  // In the open transaction, which it leaves open or failed.
  absl::StatusOr<std::int64_t> RunCopy(const CopyTarget& target, const Bounds& bounds,
                                       RowSource& source);

  // Whether a commit is to be named to `witness`, and can be.
  AskId AskIdFor(const CommitWitness* witness, Access access) const;
  absl::StatusOr<std::uint64_t> AskTransactionId(const Bounds& bounds);
  absl::Status TellWitness(CommitWitness* witness, std::uint64_t transaction, const Bounds& bounds);
  absl::Status RunCommit(const Bounds& bounds);
  // Undoes what is open by a short bound of its own; closes the connection if that fails.
  void CleanUp();
  absl::Status RunPlain(const char* sql, const Bounds& bounds, Stage stage, Doubt doubt);

  // Takes over what the server says about the transaction after a unit.
  void Settle(const Exchange& exchange);
  // Closes it: whatever was open on the server will be rolled back there.
  void Close();
  // The same where the server has not hung up.
  void GiveUp();
  absl::Status SendFailed(Stage stage);
  absl::Status WithFarewell(absl::Status status) const;
  absl::Status NoAnswer(const Exchange& exchange, Stage stage, Doubt doubt) const;
  absl::Status Explain(const absl::Status& status, const Exchange& exchange, Stage stage) const;
  std::string LossCause() const;

  // The reset before a use, where the session is to have one: it is sent with the use's first unit
  // and answered before it. If it is not OK, nothing of the use was run, and the connection is
  // closed.
  bool QueueFreshSession();
  absl::Status ReadFreshSession(Exchange& exchange);
  static absl::Status ReadReset(Exchange& exchange, int commands);
  bool UsesPreparedSettings() const;
  // Whether they failed because somebody dropped them where it could not be seen.
  bool SettingsAreMissing(const StepEnd& settings) const;

  // Whether what is prepared means here what it meant where it was prepared.
  bool UsesStatementCache() const;
  // What is prepared and not needed any more is dropped; each with a Sync, so that its failure is
  // nobody's.
  bool QueueDrops();
  void ReadDrops(Exchange& exchange);
  StepEnd ReadStatement(Exchange& exchange, const Member& member, RowForwarder& rows);
  void SkipStatement(Exchange& exchange, const Member& member);
  // Whether `end` may come of what was prepared rather than of the statement; it is forgotten then,
  // and may be run once more.
  bool WasOutdated(const StepEnd& end, const Member& member, const RowForwarder& rows,
                   Access access);

  // Before a statement is sent: it may do what it does and fail all the same.
  void NoteText(const PostgresFacts& facts);
  // After a unit: whether a setting has changed that the server reports by itself.
  void NoteReports();
  // Outside a transaction: other connections shall not trust what they have prepared.
  void NoteSchemaChange();
  void NameTypes(RowForwarder& rows, const Bounds& bounds);

  std::shared_ptr<PostgresShared> shared_;
  std::unique_ptr<Link> link_;
  std::unique_ptr<Wire> wire_;
  RowDecoder decoder_;
  ServerIdentity server_;
  Access transaction_access_ = Access::kReadWrite;  // of the one that Begin began
  TransactionState state_ = TransactionState::kIdle;
  std::string reports_;     // as the session began
  SessionChanges changes_;  // since Open or the last reset
  StatementCache statements_;
  std::uint64_t schema_seen_ = 0;   // of the shared count
  bool may_change_schema_ = false;  // what runs
  bool sets_locally_ = false;       // the transaction has settings of its own
  int drops_ = 0;                   // that were sent with the present unit
  std::string literal_settings_;    // as the session began
  std::vector<SentRead> sent_;      // the present group
  int fresh_commands_ = 0;          // of a reset that was sent with the present unit
  std::string reset_mark_;          // that it leaves
  bool given_up_ = false;
  Loss loss_ = Loss::kIdle;
  std::string farewell_;  // SQLSTATE with which the server ended the session
};

}  // namespace emsdb

#endif  // EMSDB_POOL_POSTGRES_CONNECTION_H_
