"""Everything that a run starts, each when it is first asked for, and stops at its end."""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib
import shutil
import subprocess
import sys
import tempfile

from suite import generator, metered, subjects

ROOT = pathlib.Path(__file__).resolve().parents[3]
BUILD = ROOT / "build"
GATEWAY = BUILD / "bin/emsdb-gateway"
CLIENT = BUILD / "bin/emsdb"
ECHO = BUILD / "bench/bench_echo"
SQLALCHEMY = ROOT / "tests/bench/peers/sqlalchemy_service.py"
TARGETS = ("emsdb-gateway", "emsdb", "bench_echo")
# Debian's Python: the one that Debian's packages are for.
PYTHON = "/usr/bin/python3"


@dataclasses.dataclass(frozen=True)
class Options:
    seconds: float
    keys: int
    stream_rows: int
    connections: tuple[int, ...]


class Rig:
    """As a context: PostgreSQL is there and filled at its beginning, all is stopped at its end."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.generator = generator.Generator(CLIENT, options.keys)
        self._running: dict[str, subjects.Process] = {}
        self._bouncers: dict[int, subjects.PgBouncer] = {}
        self._started = 0

    def __enter__(self) -> Rig:
        with contextlib.ExitStack() as stack:
            # In /tmp: sockets' names have at most 107 characters, and PostgreSQL is another user.
            self._work = pathlib.Path(tempfile.mkdtemp(prefix="emsdb-bench.", dir="/tmp"))
            self._work.chmod(0o755)
            stack.callback(shutil.rmtree, self._work, ignore_errors=True)
            say("starting PostgreSQL")
            self.postgres = subjects.Postgres(ROOT / "tests/support/private_postgres",
                                              self._work / "postgres")
            stack.callback(self.postgres.stop)
            stack.callback(self._stop_all)
            self.generator.prepare(self.gateway(10).address)
            # What autovacuum would do in the middle of the first round.
            subprocess.run(["psql", "-X", "-q", "-c", "vacuum analyze bench_rows", "-c",
                            "checkpoint", self.postgres.url], check=True,
                           env=metered.clean_environment())
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _stop_all(self) -> None:
        for process in (*self._running.values(), *self._bouncers.values()):
            process.stop()

    def gateway(self, pool: int, program: pathlib.Path = GATEWAY) -> subjects.Process:
        """On PostgreSQL. A pool of 10 is ten connections: no overflow beyond them."""
        name = f"{program}-{pool}"
        if name not in self._running:
            self._running[name] = self.fresh_gateway(pool, program)
        return self._running[name]

    def fresh_gateway(self, pool: int, program: pathlib.Path) -> subjects.Process:
        """One of its own, which its caller stops."""
        return self._gateway(program, {"DATABASE_URL": self.postgres.url,
                                       "DB_POOL_SIZE": str(pool), "DB_MAX_OVERFLOW": "0"})

    def sqlite_gateway(self, program: pathlib.Path = GATEWAY) -> subjects.Process:
        name = f"{program}-sqlite"
        if name not in self._running:
            data = self._work / f"sqlite-{len(self._running)}"
            gateway = self._gateway(program, {"DATABASE_URL": "sqlite:///bench.db",
                                              "EMSDB_DATA_DIR": str(data)})
            self._running[name] = gateway
            self.generator.prepare(gateway.address)
        return self._running[name]

    def echo(self) -> subjects.Process:
        if "echo" not in self._running:
            self._running["echo"] = self.fresh_echo()
        return self._running["echo"]

    def fresh_echo(self) -> subjects.Process:
        return subjects.Process([str(ECHO), "127.0.0.1:0"], self._log("echo"))

    def sqlalchemy(self, pool: int) -> subjects.Process:
        name = f"sqlalchemy-{pool}"
        if name not in self._running:
            self._running[name] = subjects.Process(
                [PYTHON, "-B", str(SQLALCHEMY), self.postgres.url, str(pool)], self._log(name))
        return self._running[name]

    def pgbouncer(self, pool: int) -> subjects.PgBouncer:
        if pool not in self._bouncers:
            self._bouncers[pool] = subjects.PgBouncer(self.postgres.url, pool,
                                                      self._work / f"pgbouncer-{pool}")
        return self._bouncers[pool]

    def _gateway(self, program: pathlib.Path, settings: dict[str, str]) -> subjects.Process:
        return subjects.Process(
            [str(program)], self._log("gateway"),
            {**settings, "EMSDB_LISTEN": "127.0.0.1:0", "EMSDB_METRICS_LISTEN": "127.0.0.1:0"})

    def _log(self, name: str) -> pathlib.Path:
        self._started += 1
        return self._work / f"{name}-{self._started}.log"


def say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)
