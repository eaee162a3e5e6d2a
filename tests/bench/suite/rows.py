"""The rows of the table: their names, spelled once for what measures them (plan) and for what
compares them (targets)."""

from __future__ import annotations

import dataclasses

from suite.figures import Row

POOL = 10
POOLS = (2, 10, 50)
IN_FLIGHT = (1, 8, 32, 128, 512)
MANY = 128
DIRECT = (4, 8, 16)  # connections of pgbench, of which the best counts
SLOW_POOL = 50
OPEN_RATE = 2000  # calls/s: far below what saturates anything

OTHER_BUILD = "the other build"
GATEWAY, ECHO, PGBENCH, PGBOUNCER, SQLALCHEMY, PSQL = (
    "gateway", "gRPC echo", "pgbench direct", "PgBouncer, pgbench", "grpcio + SQLAlchemy",
    "psql COPY")
POSTGRES, SQLITE = "PostgreSQL", "SQLite"

WITHOUT = "none slow"
WITH = "1 % slow"
OPEN_WITHOUT = f"none slow, open loop {OPEN_RATE}/s"
OPEN_WITH = f"1 % slow, open loop {OPEN_RATE}/s"

SINGLE = "one-row reads"

PARTS = {
    "read": "one-row read by key",
    "write": "one-row write, fsync on",
    "batch": "ExecuteBatch of five reads by key",
    "transaction": "interactive transaction of three statements",
    "stream": "StreamQuery of many rows, 5 columns",
    "mix": "1 % of the calls sleep 50 ms: the others",
    "idle": "resident memory with idle connections",
}


def gateway_row(part: str, in_flight: int | None, pool: int = POOL, detail: str = "",
                unit: str = "calls/s") -> Row:
    return Row(part, GATEWAY, POSTGRES, pool, in_flight, detail, unit)


def sqlite_row(part: str, in_flight: int, unit: str = "calls/s") -> Row:
    return Row(part, GATEWAY, SQLITE, None, in_flight, "", unit)


def echo_row(part: str, in_flight: int) -> Row:
    return Row(part, ECHO, "", None, in_flight)


def direct_row(part: str, connections: int) -> Row:
    return Row(part, PGBENCH, POSTGRES, connections, connections)


def bouncer_row(part: str, in_flight: int, protocol: str) -> Row:
    return Row(part, PGBOUNCER, POSTGRES, POOL, in_flight, protocol)


def stack_row(part: str, in_flight: int) -> Row:
    return Row(part, SQLALCHEMY, POSTGRES, POOL, in_flight)


def idle_row(who: str, connections: int) -> Row:
    return Row("idle", who, "", None, connections, "", "MiB")


def other_build(row: Row) -> Row:
    return dataclasses.replace(row, who=OTHER_BUILD)
