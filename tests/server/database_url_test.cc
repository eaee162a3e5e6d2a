#include "server/database_url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace emsdb {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr char kDataDir[] = "/var/lib/emsdb";

struct Row {
  std::string url;
  std::string connection;
  std::string location;
  std::string server;
};

class PostgresqlUrl : public testing::TestWithParam<Row> {};

TEST_P(PostgresqlUrl, IsKeptForLibpqAndShownWithoutSecrets) {
  const auto parsed = ParseDatabaseUrl(GetParam().url, kDataDir);
  const auto* url = std::get_if<DatabaseUrl>(&parsed);
  ASSERT_NE(url, nullptr) << std::get<UrlComplaint>(parsed).text;
  EXPECT_EQ(url->engine, Engine::kPostgresql);
  EXPECT_EQ(url->connection, GetParam().connection);
  EXPECT_EQ(url->location, GetParam().location);
  EXPECT_EQ(url->server, GetParam().server);
}

INSTANTIATE_TEST_SUITE_P(
    Table, PostgresqlUrl,
    testing::Values(
        Row{"postgresql://u:p@db.example:6432/ems", "postgresql://u:p@db.example:6432/ems",
            "db.example:6432/ems", "db.example:6432"},
        Row{"postgres://u:p@db/ems", "postgresql://u:p@db/ems", "db:5432/ems", "db:5432"},
        Row{"postgresql+psycopg2://u:p@db/ems", "postgresql://u:p@db/ems", "db:5432/ems",
            "db:5432"},
        Row{"postgresql+asyncpg://db", "postgresql://db", "db:5432/", "db:5432"},
        Row{"postgresql://", "postgresql://", "local socket:5432/", "local socket:5432"},
        Row{"postgresql:///ems", "postgresql:///ems", "local socket:5432/ems", "local socket:5432"},
        Row{"postgresql://u:p%40%2F@db/e%20s", "postgresql://u:p%40%2F@db/e%20s", "db:5432/e s",
            "db:5432"},
        Row{"postgresql://u:p@[2001:db8::1]:1/e", "postgresql://u:p@[2001:db8::1]:1/e",
            "[2001:db8::1]:1/e", "[2001:db8::1]:1"},
        Row{"postgresql://u@a:1,b:2,c/e?target_session_attrs=read-write",
            "postgresql://u@a:1,b:2,c/e?target_session_attrs=read-write", "a:1/e",
            "a:1,b:2,c:5432"},
        Row{"postgresql://db/e?sslmode=verify-full&application_name=x",
            "postgresql://db/e?sslmode=verify-full&application_name=x", "db:5432/e", "db:5432"},
        Row{"postgresql:///e?host=/run/pg&port=7", "postgresql:///e?host=/run/pg&port=7",
            "/run/pg:7/e", "/run/pg:7"},
        Row{"postgresql://%2Frun%2Fpg/e", "postgresql://%2Frun%2Fpg/e", "/run/pg:5432/e",
            "/run/pg:5432"},
        Row{"postgresql://?host=a,b&port=1,2&dbname=e&user=u&password=p",
            "postgresql://?host=a,b&port=1,2&dbname=e&user=u&password=p", "a:1/e", "a:1,b:2"},
        // The port before the ? stays with the host behind it.
        Row{"postgresql://h:6432/e?host=x", "postgresql://h:6432/e?host=x", "x:6432/e", "x:6432"},
        Row{"postgresql://h:6432/e?hostaddr=10.0.0.1", "postgresql://h:6432/e?hostaddr=10.0.0.1",
            "10.0.0.1:6432/e", "10.0.0.1:6432"},
        Row{"postgresql://h/e?ssl=true", "postgresql://h/e?ssl=true", "h:5432/e", "h:5432"},
        // libpq looks for the end of the user's part before it looks for the question mark.
        Row{"postgresql://u:p?q@db/e", "postgresql://u:p?q@db/e", "db:5432/e", "db:5432"}));

struct FileRow {
  std::string url;
  std::string file;
};

class SqliteUrl : public testing::TestWithParam<FileRow> {};

TEST_P(SqliteUrl, NamesAFileOrMemory) {
  const auto parsed = ParseDatabaseUrl(GetParam().url, kDataDir);
  const auto* url = std::get_if<DatabaseUrl>(&parsed);
  ASSERT_NE(url, nullptr) << std::get<UrlComplaint>(parsed).text;
  EXPECT_EQ(url->engine, Engine::kSqlite);
  EXPECT_EQ(url->connection, GetParam().file);
  EXPECT_EQ(url->location, GetParam().file);
  EXPECT_EQ(url->server, "");
}

INSTANTIATE_TEST_SUITE_P(
    Table, SqliteUrl,
    testing::Values(FileRow{"sqlite:///main.db", "/var/lib/emsdb/main.db"},
                    FileRow{"sqlite:///sub/main.db", "/var/lib/emsdb/sub/main.db"},
                    // One file by two spellings has one writer all the same.
                    FileRow{"sqlite:///./sub//main.db", "/var/lib/emsdb/sub/main.db"},
                    FileRow{"sqlite:////srv/main.db", "/srv/main.db"},
                    FileRow{"sqlite:////srv/../etc/main.db", "/etc/main.db"},
                    FileRow{"sqlite+pysqlite:///main.db", "/var/lib/emsdb/main.db"},
                    FileRow{"sqlite://", ":memory:"}, FileRow{"sqlite:///:memory:", ":memory:"}));

struct BadRow {
  std::string url;
  std::string complaint;
};

class BadUrl : public testing::TestWithParam<BadRow> {};

TEST_P(BadUrl, IsRefusedWithoutShowingIt) {
  const auto parsed = ParseDatabaseUrl(GetParam().url, kDataDir);
  const auto* complaint = std::get_if<UrlComplaint>(&parsed);
  ASSERT_NE(complaint, nullptr) << GetParam().url;
  EXPECT_THAT(complaint->text, HasSubstr(GetParam().complaint));
  EXPECT_THAT(complaint->text, Not(HasSubstr("s3cret")));
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadUrl,
    testing::Values(
        BadRow{"", "must begin with"}, BadRow{"db.example", "must begin with"},
        BadRow{"mysql://u:s3cret@h/d", "must begin with"},
        BadRow{"POSTGRESQL://u:s3cret@h/d", "must begin with"},
        BadRow{"host=h password=s3cret", "a space"}, BadRow{"host=h,password=s3cret", "must begin"},
        BadRow{"postgresql://u:s3cret@h/d\n", "control character"},
        BadRow{"postgresql://u:s3@cret@h/d", "a host that cannot be one"},
        BadRow{"postgresql://u:s3/s3cret@h/d", "a host that cannot be one"},
        BadRow{"postgresql://u:12/s3cret@h/d", "a host that cannot be one"},
        BadRow{"postgresql://u:12/x?user=s3cret@h/d", "a host that cannot be one"},
        BadRow{"postgresql://u:p@h:s3cret/d", "a port"}, BadRow{"postgresql://h:0/d", "a port"},
        BadRow{"postgresql://h:65536/d", "a port"},
        BadRow{"postgresql://h:99999999999/d", "a port"},
        BadRow{"postgresql://h/d/s3cret", "a database name"},
        BadRow{"postgresql://h/d%zz", "a database name"},
        BadRow{"postgresql://h/d%00", "a database name"}, BadRow{"postgresql://h%0a/d", "a host"},
        BadRow{"postgresql://[::1/d", "closing bracket"},
        BadRow{"postgresql://[::1]x:1/d", "between ] and the port"},
        BadRow{"postgresql://h/d?s3cret", "has no = in parameter 1"},
        BadRow{"postgresql://h/d?sslmod=require", "is it sslmode?"},
        BadRow{"postgresql://h/d?user=u&s3cret=1", "number 2 behind the ?"},
        BadRow{"postgresql://h/d?password=s3cret=", "a second = in parameter password"},
        BadRow{"postgresql://h/d?dbname=password%3Ds3cret", "a database name"},
        BadRow{"postgresql://a,b/d?port=1,2,3", "not as many ports as hosts"},
        BadRow{"postgresql://a:1,b:2/d?host=c", "not as many ports as hosts"},
        // What libpq would refuse, but only when the first connection is opened.
        BadRow{"postgresql://u:s3cret%zz@h/d", "bad escape in user or password"},
        BadRow{"postgresql://u:s3cret%00@h/d", "bad escape in user or password"},
        BadRow{"postgresql://[]/d", "without an address"},
        BadRow{"postgresql://a%2Cb/d", "a host that cannot be one"},
        BadRow{"postgresql://h/d?ssl=1", "ssl=true"},
        BadRow{"sqlite://s3cret/main.db", "SQLite has none"}, BadRow{"sqlite:///", "names no file"},
        BadRow{"sqlite:///dir/", "names no file"},
        BadRow{"sqlite:///../main.db", "leaves the data"},
        BadRow{"sqlite:///sub/../../main.db", "leaves the data"},
        BadRow{"sqlite:///main.db?mode=ro", "neither a parameter nor a name"}));

TEST(ServerOf, IsTheServerOfTheUrlThatTheDatabaseCameFrom) {
  const DatabaseSettings postgresql = {
      .name = "main", .engine = Engine::kPostgresql, .connection = "postgresql://u:p@a:1,b:2/e"};
  EXPECT_EQ(ServerOf(postgresql), "a:1,b:2");
  EXPECT_EQ(ServerOf({.name = "main", .engine = Engine::kSqlite, .connection = "/x"}), "");
}

}  // namespace
}  // namespace emsdb
