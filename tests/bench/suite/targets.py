"""The ten figures that say whether the gateway is as fast as it should be.

Each is a ratio of two rows of the same run, computed from the medians, and again for each round to
show how far it moves. Where a row is missing, as with --only, so is its figure.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

from suite import figures
from suite.figures import Results, Row, Summary
from suite.rows import (DIRECT, ECHO, GATEWAY, MANY, POOL, POSTGRES, PSQL, SINGLE, SLOW_POOL, WITH,
                        WITHOUT, bouncer_row, direct_row, echo_row, gateway_row, idle_row,
                        sqlite_row, stack_row)


class Missing(Exception):
    """A row that a figure needs was not measured."""


Look = Callable[[Row, str], float]


@dataclasses.dataclass(frozen=True)
class Target:
    words: str
    bound: float
    compute: Callable[[Results, Look], float]
    at_most: bool = False
    aim: str = ""
    parts: Callable[[Results, Look], str] | None = None


@dataclasses.dataclass(frozen=True)
class Outcome:
    words: str
    bound: str
    measured: float | None
    lowest: float | None = None
    highest: float | None = None
    missed: str = ""
    parts: str = ""


def fastest(results: Results, rows: list[Row]) -> Row:
    best = results.best(rows)
    if best is None:
        raise Missing
    return best


def best_direct(results: Results) -> Row:
    return fastest(results, [direct_row("read", connections) for connections in DIRECT])


def best_bouncer(results: Results) -> Row:
    return fastest(results, [bouncer_row("read", MANY, how) for how in ("simple", "extended")])


def over(above: Row, below: Row, above_key: str = "value", below_key: str = "value",
         ) -> Callable[[Results, Look], float]:
    return lambda _results, look: look(above, above_key) / look(below, below_key)


READ = gateway_row("read", MANY)
ONE, ONE_ECHO, ONE_DIRECT = gateway_row("read", 1), echo_row("read", 1), direct_row("read", 1)
STREAM = gateway_row("stream", 1, unit="rows/s")
COPY = Row("stream", PSQL, POSTGRES, 1, 1, "", "rows/s")


def of_the_ceilings(results: Results, look: Look) -> float:
    """To a call that pays for gRPC and for PostgreSQL one after the other, both at their best."""
    direct = look(best_direct(results), "value")
    return look(READ, "value") / (1 / (1 / look(echo_row("read", MANY), "value") + 1 / direct))


def of_one(_results: Results, look: Look) -> float:
    return look(ONE, "p50_us") / (look(ONE_ECHO, "p50_us") + look(ONE_DIRECT, "p50_us"))


def parts_of_one(_results: Results, look: Look) -> str:
    return (f"{look(ONE, 'p50_us'):.0f} us / ({look(ONE_ECHO, 'p50_us'):.0f} us + "
            f"{look(ONE_DIRECT, 'p50_us'):.0f} us)")


def parts_of_the_ceilings(results: Results, look: Look) -> str:
    row = best_direct(results)
    return (f"echo {look(echo_row('read', MANY), 'value'):,.0f}/s, "
            f"pgbench {look(row, 'value'):,.0f}/s with {row.pool} connections")


def parts_of_the_bouncer(results: Results, look: Look) -> str:
    row = best_bouncer(results)
    return f"{look(row, 'value'):,.0f}/s, {row.detail} protocol"


def parts_of_the_mix(_results: Results, look: Look) -> str:
    with_slow, without = mixed(WITH), mixed(WITHOUT)
    return f"{look(with_slow, 'p99_us') / 1e3:.1f} ms / {look(without, 'p99_us') / 1e3:.1f} ms"


def mixed(detail: str) -> Row:
    return gateway_row("mix", MANY, SLOW_POOL, detail)


def most_idle(results: Results) -> int:
    counts = [row.in_flight or 0 for row in results.samples if row.part == "idle"]
    if not counts:
        raise Missing
    return max(counts)


def of_the_memory(results: Results, look: Look) -> float:
    number = most_idle(results)
    return look(idle_row(GATEWAY, number), "value") / look(idle_row(ECHO, number), "value")


def parts_of_the_memory(results: Results, look: Look) -> str:
    number = most_idle(results)
    return (f"{look(idle_row(GATEWAY, number), 'value'):.0f} MiB / "
            f"{look(idle_row(ECHO, number), 'value'):.0f} MiB at {number:,} clients")


TARGETS = (
    Target(f"one-row read, {MANY} in flight: gateway / grpcio + SQLAlchemy", 20,
           over(READ, stack_row("read", MANY))),
    Target("gateway / (1 / (1/echo + 1/pgbench direct))", 1.0, of_the_ceilings,
           parts=parts_of_the_ceilings),
    Target("gateway / PgBouncer under pgbench", 0.9,
           lambda results, look: look(READ, "value") / look(best_bouncer(results), "value"),
           aim="1.0", parts=parts_of_the_bouncer),
    Target("1 in flight: gateway p50 / (echo p50 + pgbench p50)", 1.3, of_one, at_most=True,
           parts=parts_of_one),
    Target("1 % slow statements: p99 of the fast ones / without them", 1.5,
           over(mixed(WITH), mixed(WITHOUT), "p99_us", "p99_us"), at_most=True,
           parts=parts_of_the_mix),
    Target(f"one-row write, {MANY} in flight: gateway / pgbench with as many connections", 0.8,
           over(gateway_row("write", MANY), direct_row("write", POOL))),
    Target("ExecuteBatch of 5 reads, statements/s / one-row reads/s", 2.5,
           over(gateway_row("batch", MANY), gateway_row("batch", MANY, detail=SINGLE),
                "statements_per_second")),
    Target("StreamQuery, rows/s / psql COPY TO STDOUT", 0.6, over(STREAM, COPY)),
    Target("resident memory with idle clients: gateway / echo", 1.1, of_the_memory, at_most=True,
           parts=parts_of_the_memory),
    Target(f"SQLite one-row read, {MANY} in flight / echo", 0.65,
           over(sqlite_row("read", MANY), echo_row("read", MANY)), aim="0.85"),
)


def outcomes(results: Results) -> Iterator[Outcome]:
    for target in TARGETS:
        yield outcome(target, results)


def outcome(target: Target, results: Results) -> Outcome:
    bound = f"at most {target.bound:g}" if target.at_most else f"{target.bound:g}"
    if target.aim:
        bound += f", aim {target.aim}"
    try:
        measured = target.compute(results, median_of(results))
        spread = figures.summary(by_round(target, results))
        parts = target.parts(results, median_of(results)) if target.parts else ""
    except Missing:
        return Outcome(target.words, bound, None)
    return Outcome(target.words, bound, measured, spread.lowest, spread.highest,
                   missed(target, measured), parts)


def missed(target: Target, measured: float) -> str:
    """By how much, in the words of the table; nothing where the bound is kept."""
    if target.at_most:
        return f"above by {measured - target.bound:.2f}" if measured > target.bound else ""
    return f"short by {target.bound - measured:.2f}" if measured < target.bound else ""


def median_of(results: Results) -> Look:
    def look(row: Row, key: str) -> float:
        found: Summary | None = results.of(row, key)
        if found is None:
            raise Missing
        return found.median
    return look


def by_round(target: Target, results: Results) -> list[float]:
    """The ratio within each round; of rounds that all its rows have."""
    values: list[float] = []
    while True:
        number = len(values)

        def look(row: Row, key: str, number: int = number) -> float:
            rounds = results.rounds(row, key)
            if number >= len(rounds):
                raise Missing
            return rounds[number]
        try:
            values.append(target.compute(results, look))
        except Missing:
            if not values:
                raise
            return values
