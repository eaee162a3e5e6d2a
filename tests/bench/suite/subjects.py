"""What is measured, as running processes: started with a clean environment, found at a free port,
stopped at the end."""

from __future__ import annotations

import contextlib
import os
import pathlib
import pwd
import re
import socket
import subprocess
import time
import urllib.parse
from collections.abc import Callable

from suite import figures, metered, proc

START_SECONDS = 60
# All contenders keep theirs: pools of 2, 10 and 50, of two builds perhaps, beside the peers.
CONNECTIONS = "400"
# As tests/support/private_postgres: PostgreSQL and PgBouncer refuse to run as root.
UNPRIVILEGED = os.environ.get("EMSDB_TEST_POSTGRES_USER", "postgres")

PGBOUNCER_SETTINGS = """\
[databases]
postgres = host={host} port={port} dbname=postgres user={user} password={password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {pool}
max_client_conn = 2000
"""


class Process:
    """A server of ours that says where it `serves on port N` when it can be used."""

    def __init__(self, command: list[str], log: pathlib.Path,
                 environment: dict[str, str] | None = None) -> None:
        with log.open("wb") as output:
            self._process = subprocess.Popen(  # pylint: disable=consider-using-with
                command, env={**metered.clean_environment(), **(environment or {})},
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=log.parent)
        self.address = f"127.0.0.1:{self._wait_for_port(log)}"

    @property
    def pid(self) -> int:
        return self._process.pid

    def cpu_seconds(self) -> float:
        return proc.cpu_seconds(self.pid)

    def resident_bytes(self) -> int:
        return proc.resident_bytes(self.pid)

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=20)
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def _wait_for_port(self, log: pathlib.Path) -> int:
        end = time.monotonic() + START_SECONDS
        while True:
            running = self._process.poll() is None and time.monotonic() < end
            said = log.read_text(encoding="utf-8", errors="replace")
            match = re.search(r"serves on port (\d+)", said)
            if match is not None:
                return int(match.group(1))
            if not running:
                self.stop()
                raise metered.MeasurementFailed(f"{log.stem} did not start: {said[-1000:]}")
            time.sleep(0.02)


class Postgres:
    """A private PostgreSQL 15 that is durable: what it commits is on the disk."""

    def __init__(self, tool: pathlib.Path, directory: pathlib.Path) -> None:
        self._tool = tool
        self._directory = directory
        done = subprocess.run([tool, "start", directory, "fsync"], check=False, text=True,
                              stdout=subprocess.PIPE,
                              env={**os.environ, "EMSDB_TEST_POSTGRES_CONNECTIONS": CONNECTIONS})
        if done.returncode != 0:
            raise metered.MeasurementFailed("no PostgreSQL")
        self.url = done.stdout.strip()
        pid_file = (directory / "data/postmaster.pid").read_text(encoding="ascii")
        self.pid = int(pid_file.splitlines()[0])

    def cpu_seconds(self) -> float:
        return proc.family_cpu_seconds(self.pid)

    def stop(self) -> None:
        subprocess.run([self._tool, "stop", self._directory], check=False)


class PgBouncer:
    """PgBouncer in transaction mode before that PostgreSQL, with everything else as by default."""

    def __init__(self, postgres_url: str, pool: int, directory: pathlib.Path) -> None:
        directory.mkdir()
        url = urllib.parse.urlsplit(postgres_url)
        port = free_port()
        settings = directory / "pgbouncer.ini"
        settings.touch(mode=0o600)
        settings.write_text(PGBOUNCER_SETTINGS.format(
            host=url.hostname, port=url.port, user=url.username, password=url.password,
            listen=port, pool=pool), encoding="utf-8")
        user = None
        if os.geteuid() == 0:
            user = pwd.getpwnam(UNPRIVILEGED)
            for path in (directory, settings):
                os.chown(path, user.pw_uid, user.pw_gid)
        with (directory / "log").open("wb") as log:
            self._process = subprocess.Popen(  # pylint: disable=consider-using-with
                [pgbouncer_program(), str(settings)], env=metered.clean_environment(),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=directory,
                user=user and user.pw_uid, group=user and user.pw_gid,
                extra_groups=[] if user else None)
        self.url = f"postgresql://{url.username}@127.0.0.1:{port}/postgres"
        self._wait(port, directory / "log")

    def cpu_seconds(self) -> float:
        return proc.cpu_seconds(self._process.pid)

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()

    def _wait(self, port: int, log: pathlib.Path) -> None:
        end = time.monotonic() + START_SECONDS
        while self._process.poll() is None and time.monotonic() < end:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                return
            time.sleep(0.05)
        raise metered.MeasurementFailed(f"PgBouncer did not start: {log.read_text()[-2000:]}")


def pgbouncer_program() -> str:
    # Debian's place for it is not in everybody's PATH.
    return "/usr/sbin/pgbouncer"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def servers(server: Callable[[], float] | None,
            postgres: Postgres | None) -> dict[str, Callable[[], float]]:
    """Whose CPU time is read around a measurement."""
    reads: dict[str, Callable[[], float]] = {}
    if server is not None:
        reads[figures.SERVER] = server
    if postgres is not None:
        reads[figures.POSTGRES] = postgres.cpu_seconds
    return reads
