#include "server/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace emsdb {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

constexpr char kUrl[] = "postgresql://ems:s3cret@db.example:5432/ems";
constexpr char kPem[] = "-----BEGIN CERTIFICATE-----\n";

// Files by path, in place of the disk.
FileReader Files(std::map<std::string, std::string> files) {
  return [files = std::move(files)](const std::string& path) -> std::optional<std::string> {
    const auto found = files.find(path);
    if (found == files.end()) return std::nullopt;
    return found->second;
  };
}

const FileReader kNoFiles = Files({});

Config Good(const Settings& environment, const FileReader& files = kNoFiles) {
  auto parsed = ParseConfig(environment, files);
  if (const auto* complaints = std::get_if<ConfigComplaints>(&parsed)) {
    ADD_FAILURE() << testing::PrintToString(*complaints);
    return {};
  }
  return std::get<Config>(std::move(parsed));
}

ConfigComplaints Bad(const Settings& environment, const FileReader& files = kNoFiles) {
  auto parsed = ParseConfig(environment, files);
  const auto* complaints = std::get_if<ConfigComplaints>(&parsed);
  return complaints ? *complaints : ConfigComplaints{};
}

std::vector<std::string> Names(const Config& config) {
  std::vector<std::string> names;
  for (const DatabaseSettings& database : config.databases) names.push_back(database.name);
  return names;
}

const DatabaseSettings& Find(const Config& config, const std::string& name) {
  for (const DatabaseSettings& database : config.databases) {
    if (database.name == name) return database;
  }
  static const DatabaseSettings none;
  ADD_FAILURE() << "no database " << name;
  return none;
}

TEST(Config, IsAnSqliteFileInTheDataDirectoryWithoutAnySetting) {
  const Config config = Good({});
  EXPECT_THAT(Names(config), ElementsAre("main", "telehealth", "fire", "hems"));
  for (const DatabaseSettings& database : config.databases) {
    EXPECT_EQ(database.engine, Engine::kSqlite);
    EXPECT_EQ(database.connection, (std::filesystem::current_path() / "data/main.db").string());
  }
  EXPECT_EQ(config.mode, Mode::kDevelopment);
  EXPECT_EQ(config.listen, "127.0.0.1:50051");
  EXPECT_EQ(config.metrics_listen, "127.0.0.1:9464");
  EXPECT_EQ(config.data_dir, std::filesystem::current_path() / "data");
  EXPECT_EQ(config.tls, std::nullopt);
  EXPECT_EQ(config.plain_text, PlainText::kLoopbackOnly);
  EXPECT_EQ(config.bind_values, BindValues::kHidden);
  EXPECT_EQ(config.drain_timeout, seconds(10));
  EXPECT_EQ(config.slow_reader_timeout, seconds(10));
  EXPECT_THAT(config.warnings, IsEmpty());
}

TEST(Config, GivesEveryDatabaseMainsUrlUnlessToldOtherwise) {
  const Config config =
      Good({{"DATABASE_URL", kUrl}, {"FIRE_DATABASE_URL", "sqlite:////srv/f.db"}});
  EXPECT_EQ(Find(config, "main").connection, kUrl);
  EXPECT_EQ(Find(config, "telehealth").connection, kUrl);
  EXPECT_EQ(Find(config, "hems").connection, kUrl);
  EXPECT_EQ(Find(config, "fire").connection, "/srv/f.db");
  EXPECT_EQ(Find(config, "hems").location, "db.example:5432/ems");
}

TEST(Config, ReadsAUrlFromAFileWithoutItsLastNewline) {
  const Config config = Good(
      {{"DATABASE_URL_FILE", "/run/secrets/url"}, {"HEMS_DATABASE_URL_FILE", "/run/secrets/hems"}},
      Files({{"/run/secrets/url", std::string(kUrl) + "\n"},
             {"/run/secrets/hems", "postgresql://h/hems\r\n"}}));
  EXPECT_EQ(Find(config, "main").connection, kUrl);
  EXPECT_EQ(Find(config, "fire").connection, kUrl);
  EXPECT_EQ(Find(config, "hems").connection, "postgresql://h/hems");
}

TEST(Config, TakesFurtherDatabasesInTheirOrder) {
  const Config config = Good({{"EMSDB_DATABASES", "research,billing_2"},
                              {"RESEARCH_DATABASE_URL", "sqlite://"},
                              {"BILLING_2_DATABASE_URL", kUrl},
                              {"BILLING_2_DB_POOL_SIZE", "3"}});
  EXPECT_THAT(Names(config),
              ElementsAre("main", "telehealth", "fire", "hems", "research", "billing_2"));
  EXPECT_EQ(Find(config, "research").connection, ":memory:");
  EXPECT_EQ(Find(config, "billing_2").limits.size, 3);
}

TEST(Config, GivesEachDatabaseItsLimits) {
  const Config config = Good({{"DATABASE_URL", kUrl},
                              {"DB_TIER", "pilot"},
                              {"TELEHEALTH_DB_TIER", "large"},
                              {"FIRE_DB_POOL_SIZE", "1"}});
  EXPECT_EQ(Find(config, "main").limits.size, 10);
  EXPECT_EQ(Find(config, "main").tier, "pilot");
  EXPECT_EQ(Find(config, "telehealth").limits.size, 50);
  EXPECT_EQ(Find(config, "fire").limits.size, 1);
  EXPECT_EQ(Find(config, "fire").limits.overflow, 20);
}

TEST(Config, ResetsSessionsWhenTheyWereChangedUnlessToldAlways) {
  const Settings settings = {{"DATABASE_URL", kUrl}, {"FIRE_DATABASE_URL", "sqlite://"}};
  EXPECT_EQ(Find(Good(settings), "main").session_reset, SessionReset::kWhenChanged);
  Settings always = settings;
  always["EMSDB_SESSION_RESET"] = "always";
  EXPECT_EQ(Find(Good(always), "main").session_reset, SessionReset::kBeforeEveryUse);
  EXPECT_FALSE(Find(Good(always), "main").limits.group_reads) << "a reset would be between them";
  EXPECT_TRUE(Find(Good(always), "fire").limits.group_reads) << "SQLite has nothing to reset";
  EXPECT_EQ(Find(Good(always), "hems").session_reset, SessionReset::kBeforeEveryUse);
  Settings dirty = settings;
  dirty["EMSDB_SESSION_RESET"] = "dirty";
  EXPECT_EQ(Find(Good(dirty), "main").session_reset, SessionReset::kWhenChanged);
}

TEST(Config, KeepsAHundredStatementsPreparedUnlessToldOtherwise) {
  Settings settings = {{"DATABASE_URL", kUrl}};
  EXPECT_EQ(Find(Good(settings), "main").statement_cache, 100);
  settings["EMSDB_STATEMENT_CACHE"] = "0";
  EXPECT_EQ(Find(Good(settings), "main").statement_cache, 0);
  EXPECT_EQ(Find(Good(settings), "hems").statement_cache, 0);
}

TEST(Config, BoundsTheMemoryOfResultsInMebibytes) {
  EXPECT_EQ(Good({}).result_memory, std::size_t{512} << 20);
  EXPECT_EQ(Good({{"EMSDB_RESULT_MEMORY", "16"}}).result_memory, std::size_t{16} << 20);
}

TEST(Config, ReadsItsOwnVariables) {
  const Config config = Good({{"EMSDB_LISTEN", "[::1]:1"},
                              {"EMSDB_METRICS_LISTEN", "localhost:2"},
                              {"EMSDB_DATA_DIR", "/srv/data/"},
                              {"EMSDB_DRAIN_TIMEOUT", "0"},
                              {"EMSDB_SLOW_READER_TIMEOUT", "2.5"},
                              {"EMSDB_LOG_VALUES", "1"},
                              {"ENVIRONMENT", "staging"},
                              {"EMSDB_ADDRESS", "127.0.0.1:1"},
                              {"EMSDB_TOKEN", "for the client"},
                              {"PATH", "/bin"}});
  EXPECT_EQ(config.listen, "[::1]:1");
  EXPECT_EQ(config.metrics_listen, "localhost:2");
  EXPECT_EQ(Find(config, "main").connection, "/srv/data/main.db");
  EXPECT_EQ(config.drain_timeout, seconds(0));
  EXPECT_EQ(config.slow_reader_timeout, milliseconds(2500));
  EXPECT_EQ(config.bind_values, BindValues::kShown);
  EXPECT_EQ(config.mode, Mode::kDevelopment);
  EXPECT_THAT(config.warnings, IsEmpty());
}

TEST(Config, IsProductionByEitherVariable) {
  EXPECT_EQ(Good({{"ENV", "production"}, {"DATABASE_URL", kUrl}}).mode, Mode::kProduction);
  EXPECT_EQ(Good({{"ENVIRONMENT", "production"}, {"DATABASE_URL", kUrl}}).mode, Mode::kProduction);
  EXPECT_EQ(
      Good({{"ENV", "production"}, {"ENVIRONMENT", "production"}, {"DATABASE_URL", kUrl}}).mode,
      Mode::kProduction);
}

TEST(Config, TakesTlsFiles) {
  const FileReader files = Files({{"/c", kPem}, {"/k", kPem}, {"/ca", kPem}});
  Settings settings = {
      {"EMSDB_LISTEN", "0.0.0.0:1"}, {"EMSDB_TLS_CERT", "/c"}, {"EMSDB_TLS_KEY", "/k"}};
  const Config with_tls = Good(settings, files);
  ASSERT_TRUE(with_tls.tls);
  EXPECT_EQ(with_tls.tls->certificate, "/c");
  EXPECT_EQ(with_tls.tls->key, "/k");
  EXPECT_EQ(with_tls.tls->client_ca, "");
  settings["EMSDB_TLS_CLIENT_CA"] = "/ca";
  EXPECT_EQ(Good(settings, files).tls->client_ca, "/ca");
}

TEST(Config, ListensBeyondLoopbackInPlainTextOnlyWhenToldTo) {
  const Settings open = {{"EMSDB_LISTEN", "0.0.0.0:50051"}, {"EMSDB_METRICS_LISTEN", "[::]:9464"}};
  EXPECT_THAT(Bad(open), ElementsAre(StartsWith("EMSDB_LISTEN is not a loopback address"),
                                     StartsWith("EMSDB_METRICS_LISTEN is not a loopback address")));
  Settings insecure = open;
  insecure["EMSDB_INSECURE"] = "1";
  EXPECT_EQ(Good(insecure).plain_text, PlainText::kAnywhere);
  insecure["EMSDB_INSECURE"] = "0";
  EXPECT_THAT(Bad(insecure), SizeIs(2));
  EXPECT_EQ(Good({{"EMSDB_LISTEN", "unix:/run/emsdb.sock"}}).listen, "unix:/run/emsdb.sock");
}

TEST(Config, KeepsTheMetricsOnLoopbackAlsoWithTls) {
  const FileReader files = Files({{"/c", kPem}, {"/k", kPem}});
  EXPECT_THAT(Bad({{"EMSDB_METRICS_LISTEN", "0.0.0.0:9464"},
                   {"EMSDB_TLS_CERT", "/c"},
                   {"EMSDB_TLS_KEY", "/k"}},
                  files),
              ElementsAre(StartsWith("EMSDB_METRICS_LISTEN is not a loopback address")));
}

TEST(Config, DoesNotApplyMaxLeasedToSqlite) {
  EXPECT_EQ(Find(Good({{"EMSDB_MAX_LEASED", "100"}}), "main").limits.max_leased, 100);
}

struct BadSettings {
  Settings settings;
  std::string complaint;
};

class OneMistake : public testing::TestWithParam<BadSettings> {};

TEST_P(OneMistake, IsOneComplaint) {
  EXPECT_THAT(Bad(GetParam().settings), ElementsAre(HasSubstr(GetParam().complaint)));
}

INSTANTIATE_TEST_SUITE_P(
    Table, OneMistake,
    testing::Values(
        BadSettings{{{"ENV", "production"}}, "DATABASE_URL is not set: in production it must be"},
        BadSettings{{{"ENV", "production"}, {"ENVIRONMENT", "staging"}, {"DATABASE_URL", kUrl}},
                    "ENV is 'production' and ENVIRONMENT is 'staging': they must agree"},
        BadSettings{{{"ENV", "prod"}}, "ENV is 'prod': write production in full"},
        BadSettings{{{"ENVIRONMENT", "Production"}}, "ENVIRONMENT is 'Production': write"},
        BadSettings{{{"ENV", "prodution"}}, "write production in full"},
        BadSettings{{{"DATABASE_URL", ""}}, "DATABASE_URL is empty"},
        BadSettings{{{"DATABASE_URL", "mysql://h"}},
                    "DATABASE_URL is not a URL this gateway knows"},
        BadSettings{{{"DATABASE_URL", kUrl}, {"DATABASE_URL_FILE", "/f"}},
                    "DATABASE_URL and DATABASE_URL_FILE are both set"},
        BadSettings{{{"FIRE_DATABASE_URL_FILE", "/none"}},
                    "FIRE_DATABASE_URL_FILE names a file that cannot be read"},
        BadSettings{{{"MAIN_DATABASE_URL", kUrl}}, "main's URL is the one in DATABASE_URL"},
        BadSettings{{{"EMSDB_DATABASES", "billing"}}, "BILLING_DATABASE_URL is not set"},
        BadSettings{{{"EMSDB_DATABASES", "main"}}, "'main', which is there already"},
        BadSettings{{{"EMSDB_DATABASES", "a,a"}, {"A_DATABASE_URL", kUrl}}, "there already"},
        BadSettings{{{"EMSDB_DATABASES", "Billing"}}, "a name that is 'Billing'"},
        BadSettings{{{"EMSDB_DATABASES", "a,"}, {"A_DATABASE_URL", kUrl}}, "a name that is empty"},
        BadSettings{{{"EMSDB_DATABASES", "2fast"}}, "begin with a letter"},
        BadSettings{{{"EMSDB_DATABASES", ""}}, "EMSDB_DATABASES is empty"},
        BadSettings{{{"EMSDB_LISTEN", "50051"}}, "EMSDB_LISTEN is '50051': must be host:port"},
        BadSettings{{{"EMSDB_METRICS_LISTEN", "unix:/x"}}, "EMSDB_METRICS_LISTEN is"},
        BadSettings{{{"EMSDB_LISTEN", "127.0.0.1:9464"}}, "are the same: give them two ports"},
        BadSettings{{{"EMSDB_INSECURE", "yes"}}, "EMSDB_INSECURE is 'yes': must be one of 0, 1"},
        BadSettings{{{"EMSDB_LOG_VALUES", "2"}}, "EMSDB_LOG_VALUES is '2'"},
        BadSettings{{{"EMSDB_DRAIN_TIMEOUT", "-1"}}, "EMSDB_DRAIN_TIMEOUT is '-1'"},
        BadSettings{{{"EMSDB_SLOW_READER_TIMEOUT", "0"}}, "EMSDB_SLOW_READER_TIMEOUT is '0'"},
        BadSettings{{{"EMSDB_DATA_DIR", ""}}, "EMSDB_DATA_DIR is empty"},
        BadSettings{{{"EMSDB_LISTN", "127.0.0.1:1"}}, "did you mean EMSDB_LISTEN?"},
        BadSettings{{{"EMSDB_NONSENSE", "1"}}, "EMSDB_NONSENSE is no setting of the gateway"},
        BadSettings{{{"EMSDB_TOKENS_FILE", "/t"}}, "EMSDB_TOKENS_FILE names a file that cannot"},
        BadSettings{{{"EMSDB_SESSION_RESET", "never"}}, "must be one of dirty, always"},
        BadSettings{{{"EMSDB_STATEMENT_CACHE", "-1"}}, "EMSDB_STATEMENT_CACHE is '-1'"},
        BadSettings{{{"EMSDB_STATEMENT_CACHE", "10001"}}, "from 0 (none) to 10000"},
        BadSettings{{{"EMSDB_RESULT_MEMORY", "0"}}, "must be mebibytes from 16 to 1048576"},
        BadSettings{{{"EMSDB_RESULT_MEMORY", "512m"}}, "EMSDB_RESULT_MEMORY is "},
        BadSettings{{{"EMSDB_REFUSE_HOPELESS", "yes"}}, "must be one of 0, 1"},
        BadSettings{{{"DB_POOL_SIZE", "-3"}}, "DB_POOL_SIZE is '-3'"},
        BadSettings{{{"HEMS_DB_TIER", "x"}}, "HEMS_DB_TIER is 'x'"},
        BadSettings{{{"DATABASE_URL", kUrl},
                     {"FIRE_DATABASE_URL", "sqlite://"},
                     {"TELEHEALTH_DATABASE_URL", "sqlite://"},
                     {"HEMS_DATABASE_URL", "sqlite://"},
                     {"EMSDB_MAX_LEASED", "16"}},
                    "EMSDB_MAX_LEASED: must be at least 1 and at most"}));

constexpr char kOneCaller[] =
    R"({"callers": [{"caller": "cad", "tokens": ["sixteen-characters"], "databases": ["billing"]}]})";

TEST(Config, ReadsTheTokensFileWithTheNamesOfItsDatabases) {
  const FileReader files = Files({{"/t", kOneCaller}});
  const Config config = Good(
      {{"EMSDB_TOKENS_FILE", "/t"}, {"EMSDB_DATABASES", "billing"}, {"BILLING_DATABASE_URL", kUrl}},
      files);
  ASSERT_TRUE(config.callers);
  EXPECT_EQ(config.callers->ByToken("sixteen-characters")->name, "cad");
  EXPECT_THAT(config.warnings, IsEmpty());
  EXPECT_THAT(Bad({{"EMSDB_TOKENS_FILE", "/t"}}, files),
              ElementsAre("EMSDB_TOKENS_FILE: callers[0].databases[0]: is no database; there are "
                          "main, telehealth, fire, hems"));
  EXPECT_FALSE(Good({}).callers);
}

TEST(Config, WarnsOfTokensThatWouldTravelInPlainText) {
  const Config config = Good({{"EMSDB_TOKENS_FILE", "/t"},
                              {"EMSDB_DATABASES", "billing"},
                              {"BILLING_DATABASE_URL", kUrl},
                              {"EMSDB_LISTEN", "0.0.0.0:1"},
                              {"EMSDB_INSECURE", "1"}},
                             Files({{"/t", kOneCaller}}));
  EXPECT_THAT(config.warnings, Contains(HasSubstr("bearer tokens travel in plain text")));
  EXPECT_THAT(Bad({{"EMSDB_TOKENS_FILE", "/t"}, {"EMSDB_LISTEN", "0.0.0.0:1"}},
                  Files({{"/t", kOneCaller}})),
              Contains(HasSubstr("EMSDB_INSECURE")));
}

TEST(Config, ListsEveryMistakeAtOnce) {
  EXPECT_THAT(Bad({{"ENV", "production"},
                   {"DB_POOL_SIZE", "x"},
                   {"DB_TIER", "x"},
                   {"EMSDB_LISTEN", "x"},
                   {"EMSDB_UNKNOWN", "x"},
                   {"EMSDB_TLS_CERT", "/c"}}),
              SizeIs(7));  // the certificate: not there, and no key with it
}

struct TlsMistake {
  Settings settings;
  std::vector<std::string> complaints;
};

class TlsFilesAreRefused : public testing::TestWithParam<TlsMistake> {};

TEST_P(TlsFilesAreRefused, WhenTheyAreNotWhatTheyMustBe) {
  const FileReader files = Files({{"/c", kPem}, {"/k", kPem}, {"/text", "no pem"}});
  EXPECT_EQ(Bad(GetParam().settings, files), GetParam().complaints);
}

INSTANTIATE_TEST_SUITE_P(
    Table, TlsFilesAreRefused,
    testing::Values(TlsMistake{{{"EMSDB_TLS_CERT", "/c"}},
                               {"EMSDB_TLS_CERT is set and EMSDB_TLS_KEY is not: TLS needs both"}},
                    TlsMistake{{{"EMSDB_TLS_KEY", "/k"}},
                               {"EMSDB_TLS_KEY is set and EMSDB_TLS_CERT is not: TLS needs both"}},
                    TlsMistake{
                        {{"EMSDB_TLS_CLIENT_CA", "/c"}},
                        {"EMSDB_TLS_CLIENT_CA is set and EMSDB_TLS_CERT is not: TLS needs both"}},
                    TlsMistake{{{"EMSDB_TLS_CERT", "/none"}, {"EMSDB_TLS_KEY", "/k"}},
                               {"EMSDB_TLS_CERT names a file that cannot be read"}},
                    TlsMistake{{{"EMSDB_TLS_CERT", "/c"}, {"EMSDB_TLS_KEY", "/text"}},
                               {"EMSDB_TLS_KEY names a file that is not PEM"}}));

TEST(Config, WarnsOfWhatLooksLikeASlipOfThePen) {
  const Config config = Good({{"DB_POOLSIZE", "50"},
                              {"TELEHEALTH_DB_POOL_SIZ", "1"},
                              {"FIRE_DB_POOL_USE_LIFO", "0"},
                              {"BILLING_DATABASE_URL", kUrl},
                              {"DATABASE_URI", kUrl},
                              {"DB_USER", "another program's"},
                              {"BILLING_DB_POOL_SIZE", "another program's"}});
  EXPECT_THAT(config.warnings, SizeIs(5));
  EXPECT_THAT(config.warnings,
              AllOf(Contains("DB_POOLSIZE is not used; did you mean DB_POOL_SIZE?"),
                    Contains(HasSubstr("did you mean TELEHEALTH_DB_POOL_SIZE?")),
                    Contains(StartsWith("FIRE_DB_POOL_USE_LIFO is not used")),
                    Contains(StartsWith("BILLING_DATABASE_URL is not used: EMSDB_DATABASES names")),
                    Contains("DATABASE_URI is not used; did you mean DATABASE_URL?")));
}

TEST(ReadWholeFile, ReadsAFileAndRefusesWhatIsNone) {
  const std::string directory = testing::TempDir();
  const std::string path = directory + "/emsdb_read_whole_file";
  std::ofstream(path) << "postgresql://h/d\n";
  EXPECT_EQ(ReadWholeFile(path), "postgresql://h/d\n");
  std::filesystem::remove(path);
  EXPECT_EQ(ReadWholeFile(path), std::nullopt);
  EXPECT_EQ(ReadWholeFile(directory), std::nullopt);
  EXPECT_EQ(ReadWholeFile("/dev/zero"), std::nullopt);
}

}  // namespace
}  // namespace emsdb
