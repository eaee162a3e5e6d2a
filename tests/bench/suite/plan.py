"""What is measured: for each part of the table its rows, and how each of them is measured.

A row is one contender under one load; the loads of one part are measured in turns.
"""

from __future__ import annotations

import dataclasses
import functools
import pathlib
import time
from collections.abc import Callable

from suite import figures, metered, pgbench, proc, subjects
from suite.figures import Row, Sample
from suite.rig import GATEWAY as PROGRAM
from suite.rig import Rig
from suite.rows import (DIRECT, ECHO, GATEWAY, IN_FLIGHT, MANY, OPEN_RATE, OPEN_WITH, OPEN_WITHOUT,
                        POOL, POOLS, POSTGRES, PSQL, SINGLE, SLOW_POOL, WITH, WITHOUT, bouncer_row,
                        direct_row, echo_row, gateway_row, idle_row, other_build, sqlite_row,
                        stack_row)


STREAMED = ("select g, 'text ' || g, g * 1.5::float8, g % 2 = 0, now() "
            "from generate_series(1, {rows}) g")


@dataclasses.dataclass(frozen=True)
class Measurement:
    row: Row
    run: Callable[[float], Sample]  # for so many seconds


class Plan:
    """The measurements of each part, on a rig. A contender starts when its first one runs.
    `against`: another build of the gateway, whose turn is always next to this one's."""

    def __init__(self, rig: Rig, program: pathlib.Path = PROGRAM,
                 against: pathlib.Path | None = None) -> None:
        self._rig = rig
        self._program = program
        self._against = Plan(rig, against) if against else None
        self._parts: dict[str, Callable[[], list[Measurement]]] = {
            "read": self._read, "write": self._write, "batch": self._batch,
            "transaction": self._transaction, "stream": self._stream, "mix": self._mix,
            "idle": self._idle}

    def measurements(self, part: str) -> list[Measurement]:
        measurements = self._parts[part]()
        if self._against is None:
            return measurements
        others = self._against.measurements(part)
        return [one for pair in zip(measurements, others) for one in with_other_build(*pair)]

    def _read(self) -> list[Measurement]:
        """By the number in flight, so that what is compared is measured close together."""
        return [m for n in IN_FLIGHT for m in (
            self._gateway("read", n), self._echo("read", n), self._sqlite("read", n),
            *(self._read_peers(n) if n in (1, 32, MANY) else ()))]

    def _read_peers(self, in_flight: int) -> list[Measurement]:
        peers = [self._stack("read", in_flight)]
        if in_flight in (1, MANY):
            peers += [self._bouncer("read", in_flight, how) for how in ("simple", "extended")]
        if in_flight == 1:
            peers.append(self._direct("read", 1))
        if in_flight == MANY:
            peers += [self._direct("read", n) for n in DIRECT]
            peers += [self._gateway("read", MANY, pool) for pool in POOLS if pool != POOL]
        return peers

    def _write(self) -> list[Measurement]:
        return [
            *(self._gateway("write", n) for n in (1, 32)),
            *(m for pool in POOLS for m in (
                self._gateway("write", MANY, pool), self._direct("write", pool))),
            self._direct("write", 1), self._bouncer("write", MANY, "extended"),
            self._stack("write", MANY),
            *(self._sqlite("write", n) for n in (1, MANY))]

    def _batch(self) -> list[Measurement]:
        return [*(m for n in (1, 32, MANY) for m in (
                    self._gateway("batch", n), self._echo("batch", n), self._sqlite("batch", n))),
                self._gateway("batch", MANY, workload="read", detail=SINGLE)]

    def _transaction(self) -> list[Measurement]:
        # A pool lends all but one of its connections: more in flight would only be refused.
        return [*(m for n, pool in ((1, POOL), (8, POOL), (32, 50)) for m in (
                    self._gateway("transaction", n, pool), self._direct("transaction", n))),
                *(self._sqlite("transaction", n) for n in (1, 32))]

    def _stream(self) -> list[Measurement]:
        rows = ("--rows", str(self._rig.options.stream_rows))
        return [self._gateway("stream", 1, POOL, *rows, unit="rows/s"),
                self._sqlite("stream", 1, *rows, unit="rows/s"),
                Measurement(Row("stream", PSQL, POSTGRES, 1, 1, "", "rows/s"), self._copy)]

    def _mix(self) -> list[Measurement]:
        slow = ("--slow-share", "0.01", "--slow-ms", "50")
        rate = ("--rate", str(OPEN_RATE))
        return [
            self._gateway("mix", MANY, SLOW_POOL, workload="read", detail=WITHOUT),
            self._gateway("mix", MANY, SLOW_POOL, *slow, detail=WITH),
            self._gateway("mix", None, SLOW_POOL, *rate, workload="read", detail=OPEN_WITHOUT),
            self._gateway("mix", None, SLOW_POOL, *rate, *slow, detail=OPEN_WITH)]

    def _idle(self) -> list[Measurement]:
        return [Measurement(idle_row(who, number), functools.partial(self._resident, who, number))
                for number in self._rig.options.connections for who in (GATEWAY, ECHO)]

    def _gateway(self, part: str, in_flight: int | None, pool: int = POOL, *options: str,
                 workload: str = "", detail: str = "", unit: str = "calls/s") -> Measurement:
        return self._generated(gateway_row(part, in_flight, pool, detail, unit),
                               lambda: self._rig.gateway(pool, self._program), True,
                               *options, workload=workload)

    def _sqlite(self, part: str, in_flight: int, *options: str,
                unit: str = "calls/s") -> Measurement:
        return self._generated(sqlite_row(part, in_flight, unit),
                               lambda: self._rig.sqlite_gateway(self._program), False, *options)

    def _echo(self, part: str, in_flight: int) -> Measurement:
        return self._generated(echo_row(part, in_flight), self._rig.echo, False)

    def _stack(self, part: str, in_flight: int) -> Measurement:
        return self._generated(stack_row(part, in_flight), lambda: self._rig.sqlalchemy(POOL), True)

    def _generated(self, row: Row, server: Callable[[], subjects.Process], on_postgres: bool,
                   *options: str, workload: str = "") -> Measurement:
        # The open loop has as many in flight as its rate needs.
        closed = [] if row.in_flight is None else ["--in-flight", str(row.in_flight)]

        def run(seconds: float) -> Sample:
            process = server()
            postgres = self._rig.postgres if on_postgres else None
            return self._rig.generator.measure(
                process.address, workload or row.part, seconds,
                subjects.servers(process.cpu_seconds, postgres),
                *closed, *options)

        return Measurement(row, run)

    def _direct(self, part: str, connections: int) -> Measurement:
        def run(seconds: float) -> Sample:
            postgres = self._rig.postgres
            return pgbench.measure(postgres.url, part, connections, seconds,
                                   self._rig.options.keys, subjects.servers(None, postgres),
                                   each_latency=connections == 1)

        return Measurement(direct_row(part, connections), run)

    def _bouncer(self, part: str, in_flight: int, protocol: str) -> Measurement:
        def run(seconds: float) -> Sample:
            bouncer = self._rig.pgbouncer(POOL)
            return pgbench.measure(bouncer.url, part, in_flight, seconds, self._rig.options.keys,
                                   subjects.servers(bouncer.cpu_seconds, self._rig.postgres),
                                   protocol=protocol, each_latency=in_flight == 1)

        return Measurement(bouncer_row(part, in_flight, protocol), run)

    def _copy(self, _seconds: float) -> Sample:
        postgres, rows = self._rig.postgres, self._rig.options.stream_rows
        query = STREAMED.format(rows=rows)
        done = metered.run(["psql", "-X", "-q", "-c", f"COPY ({query}) TO STDOUT", postgres.url],
                           300, subjects.servers(None, postgres), keep_output=False)
        return Sample(value=rows / done.seconds, others=done.others,
                      cpu_us=metered.for_each(done.cpu_seconds, rows))

    def _resident(self, who: str, connections: int, _seconds: float) -> Sample:
        """Of a process that has done nothing else, while the connections are open."""
        server = (self._rig.fresh_gateway(POOL, self._program) if who == GATEWAY
                  else self._rig.fresh_echo())
        try:
            if connections == 0:
                time.sleep(1)
                return Sample(value=mebibytes(server.pid))
            with self._rig.generator.holding(server.address, connections):
                return Sample(value=mebibytes(server.pid))
        finally:
            server.stop()


def with_other_build(one: Measurement, other: Measurement) -> list[Measurement]:
    if one.row.who != GATEWAY:
        return [one]
    return [one, Measurement(other_build(one.row), other.run)]


def mebibytes(pid: int) -> float:
    return proc.resident_bytes(pid) / 2**20
