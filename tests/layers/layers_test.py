"""Tests of the check itself: each planted violation must be reported, and good code must not be."""

import pathlib
import tempfile
import unittest

import layers


def guarded(path, body="", first="// A room for tests.\n"):
    guard = "EMSDB_" + path.replace("/", "_").replace(".", "_").upper() + "_"
    return f"{first}#ifndef {guard}\n#define {guard}\n{body}#endif  // {guard}\n"


class Tree(unittest.TestCase):
    """A tree that keeps every rule, in which a test plants what it is about."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.root = pathlib.Path(directory.name)
        for name in layers.TOP_LEVEL:
            if "." in name:
                (self.root / name).touch()
            else:
                (self.root / name).mkdir()

    def plant(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def assert_reported(self, path, text, words):
        self.plant(path, text)
        found = layers.violations(self.root)
        self.assertEqual(len(found), 1, found)
        self.assertIn(path, found[0])
        self.assertIn(words, found[0])

    def assert_clean(self):
        self.assertEqual(layers.violations(self.root), [])


class Includes(Tree):
    def test_good_code_is_not_reported(self):
        for path, header in (
            ("pool/a.cc", "<vector>"), ("pool/a1.cc", '"absl/status/status.h"'),
            ("pool/a2.cc", '"pool/clock.h"'), ("pool/a3.cc", "<sys/socket.h>"),
            ("pool/postgres/b.cc", "<pqxx/connection>"), ("pool/postgres/b1.cc", "<libpq-fe.h>"),
            ("pool/postgres/b2.cc", '"pool/value.h"'), ("pool/sqlite/c.cc", "<sqlite3.h>"),
            ("server/main.cc", '"pool/postgres/connector.h"'),
            ("server/d.cc", "<grpcpp/grpcpp.h>"), ("server/d1.cc", '"emsdb/v1/value.pb.h"'),
            ("server/d2.cc", "<prometheus/counter.h>"), ("server/d3.cc", "<CivetServer.h>"),
            ("client/e.cc", "<nlohmann/json.hpp>"), ("client/e1.cc", "<CLI/CLI.hpp>"),
            ("tests/f.cc", '"pool/postgres/wire.h"'), ("tests/f1.cc", "<sqlite3.h>"),
        ):
            self.plant(path, f"#include {header}\n")
        self.assert_clean()

    def test_each_planted_include_is_reported(self):
        for path, header in (
            ("pool/a.cc", "<grpcpp/grpcpp.h>"), ("pool/a.cc", '"emsdb/v1/value.pb.h"'),
            ("pool/a.cc", "<pqxx/pqxx>"), ("pool/a.cc", "<libpq-fe.h>"),
            ("pool/a.cc", "<sqlite3.h>"), ("pool/a.cc", "<prometheus/counter.h>"),
            ("pool/a.cc", '"pool/postgres/wire.h"'), ("pool/a.cc", '"server/config.h"'),
            ("pool/a.cc", "<nlohmann/json.hpp>"), ("pool/a.cc", '"tests/support/fake_clock.h"'),
            ("pool/postgres/a.cc", "<sqlite3.h>"), ("pool/postgres/a.cc", '"pool/sqlite/x.h"'),
            ("pool/postgres/a.cc", "<grpcpp/grpcpp.h>"),
            ("pool/sqlite/a.cc", "<libpq-fe.h>"), ("pool/sqlite/a.cc", '"pool/postgres/x.h"'),
            ("server/a.cc", "<pqxx/pqxx>"), ("server/a.cc", "<sqlite3.h>"),
            ("server/a.cc", '"pool/postgres/connector.h"'), ("server/a.cc", '"client/client.h"'),
            ("server/main.cc", "<pqxx/pqxx>"), ("server/main.cc", "<sqlite3.h>"),
            ("server/a.cc", '"tests/support/fake_clock.h"'),
            ("client/a.cc", '"pool/clock.h"'), ("client/a.cc", '"server/config.h"'),
            ("client/a.cc", "<prometheus/counter.h>"), ("client/a.cc", "<sqlite3.h>"),
            ("server/a.cc", '"../pool/clock.h"'), ("pool/a.cc", "<boost/asio.hpp>"),
        ):
            with self.subTest(path=path, header=header):
                self.assert_reported(path, f"#include <vector>\n  #  include {header}\n",
                                     f":2: {header}")
                (self.root / path).unlink()


class Words(Tree):
    def test_reading_the_environment_is_reported(self):
        for path in ("pool/a.cc", "pool/postgres/a.cc", "server/config.cc", "client/client/a.cc"):
            with self.subTest(path=path):
                self.assert_reported(path, 'auto x = std::getenv("X");\n', "reads the environment")
                (self.root / path).unlink()

    def test_the_programs_may_read_it(self):
        for path in ("server/main.cc", "client/cli/main.cc", "tests/a.cc"):
            self.plant(path, "extern char** environ;\n")
        self.assert_clean()

    def test_a_comment_about_it_is_not_reported(self):
        self.plant("pool/a.cc", "// No getenv, no sleep_for.\n/* nor\n environ */\n")
        self.assert_clean()

    def test_sleeping_in_the_pool_is_reported(self):
        self.assert_reported("pool/a.cc", "std::this_thread::sleep_for(x);\n", "sleeps")

    # T10: a step of the wall clock ends no wait and makes no connection old.
    def test_the_wall_clock_in_the_pool_is_reported(self):
        for text in ("auto t = std::chrono::system_clock::now();\n", "time(nullptr);\n",
                     "clock_gettime(CLOCK_REALTIME, &now);\n", "absl::Now();\n",
                     "gettimeofday(&now, nullptr);\n"):
            for path in ("pool/a.cc", "pool/postgres/a.cc"):
                self.assert_reported(path, text, "wall clock")
                (self.root / path).unlink()

    def test_the_steady_clock_in_the_pool_is_not_reported(self):
        self.plant("pool/a.cc", "// Not system_clock.\nstd::chrono::steady_clock::now();\n")
        self.assert_clean()

    def test_looking_a_database_up_past_the_callers_rights_is_reported(self):
        for text in ("gateway.pools.Find(name);\n", "auto d = gateway_.pools.Find(name);\n",
                     "gateway().pools\n    .Find(name);\n"):
            self.assert_reported("server/a.cc", text, "only server/admission.cc")


class Headers(Tree):
    def test_a_good_one_is_not_reported(self):
        self.plant("pool/postgres/wire.h", guarded("pool/postgres/wire.h"))
        self.assert_clean()

    def test_one_without_a_comment_is_reported(self):
        self.assert_reported("pool/a.h", guarded("pool/a.h", first=""), "begin with a comment")

    def test_one_with_another_guard_is_reported(self):
        self.assert_reported("pool/a.h", guarded("pool/b.h"), "EMSDB_POOL_A_H_")


class TopLevel(Tree):
    def test_something_else_is_reported(self):
        self.assert_reported("docs", "", "does not belong")

    def test_something_missing_is_reported(self):
        (self.root / "README.md").unlink()
        self.assertEqual(layers.violations(self.root), ["README.md: is missing at the top level"])

    def test_builds_and_dot_files_are_not_reported(self):
        for name in (".git", ".ci", "build", "build-dev", "data"):
            (self.root / name).mkdir()
        self.assert_clean()


if __name__ == "__main__":
    unittest.main()
