"""The results for people: one table, and under it the figures with their bounds."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence

from suite.figures import ALL, CLIENT, POSTGRES, SERVER, Results, Row
from suite.rows import GATEWAY, PARTS, other_build
from suite.targets import Outcome

LEFT, RIGHT = "<", ">"


def lines_of(cells: Sequence[Sequence[str]], alignment: str) -> list[str]:
    """Columns as wide as their widest cell. `alignment`: < or > for each."""
    widths = [max(len(row[number]) for row in cells) for number in range(len(alignment))]
    return ["  ".join(f"{cell:{side}{width}}"
                      for cell, side, width in zip(row, alignment, widths)).rstrip()
            for row in cells]


def number(value: float | None, digits: int = 0) -> str:
    return "" if value is None else f"{value:,.{digits}f}"


def latency(micros: float | None) -> str:
    if micros is None:
        return ""
    return f"{micros:.0f} us" if micros < 1000 else f"{micros / 1000:.1f} ms"


def micros(value: float | None) -> str:
    return number(value, 1 if value is not None and value < 100 else 0)


def spread(lowest: float, highest: float, digits: int = 0) -> str:
    return f"{lowest:,.{digits}f} .. {highest:,.{digits}f}"


def errors_of(results: Results, row: Row) -> str:
    return ", ".join(f"{reason}: {count}" for reason, count in results.errors(row).items())


def name(row: Row) -> str:
    return f"{row.who}, {row.detail}" if row.detail else row.who


def row_cells(results: Results, row: Row) -> list[str]:
    what = [name(row), row.engine, number(row.pool), number(row.in_flight)]
    value = results.of(row)
    if value is None:
        return [*what, "failed", results.failures.get(row, "").replace("\n", " ")[:120],
                *[""] * 8]

    def median(key: str) -> float | None:
        found = results.of(row, key)
        return found.median if found else None

    others = median("others")
    return [*what, number(value.median), spread(value.lowest, value.highest),
            latency(median("p50_us")), latency(median("p99_us")),
            micros(median(SERVER)), micros(median(POSTGRES)), micros(median(CLIENT)),
            micros(median(ALL)), "" if others is None else f"{others:.0%}", errors_of(results, row)]


ALIGNMENT = "<<>>>>>>>>>>><"
SHARED = ("p50", "p99", "server", "postgres", "client", "all", "others", "errors")


def part_cells(results: Results, part: str) -> Iterable[list[str]]:
    rows = [row for row in (*results.samples, *results.failures) if row.part == part]
    rows = list(dict.fromkeys(rows))
    waiting = "clients" if part == "idle" else "in flight"
    yield [""] * len(ALIGNMENT)
    yield [PARTS[part].upper(), *[""] * (len(ALIGNMENT) - 1)]
    yield ["", "on", "pool", waiting, rows[0].unit, "lowest .. highest", *SHARED]
    for row in rows:
        yield row_cells(results, row)


def measurements(results: Results) -> list[str]:
    cells = [row for part in results.parts() for row in part_cells(results, part)]
    # A part's title may run over the other columns.
    titles = {index: row[0] for index, row in enumerate(cells) if row[0] and not any(row[1:])}
    shown = [["", *row[1:]] if index in titles else row for index, row in enumerate(cells)]
    return [titles.get(index, line) for index, line in enumerate(lines_of(shown, ALIGNMENT))]


def figure_cells(outcome: Outcome) -> list[str]:
    if outcome.measured is None:
        return [outcome.words, outcome.bound, "not measured", "", "", ""]
    assert outcome.lowest is not None and outcome.highest is not None
    return [outcome.words, outcome.bound, f"{outcome.measured:.2f}",
            spread(outcome.lowest, outcome.highest, 2), outcome.missed, outcome.parts]


def figures(outcomes: Iterable[Outcome]) -> list[str]:
    return lines_of([["figure", "at least", "measured", "lowest .. highest", "", ""],
                     *(figure_cells(one) for one in outcomes)], "<<>><<")


def against(results: Results) -> list[str]:
    """Row by row: this build's figures as shares of the other one's. Of each round by itself, since
    the two were next to each other in it; then the median."""
    cells = [["this build / the other", "on", "pool", "in flight", "", "median", "server CPU", "all CPU"]]
    for row in results.samples:
        other = other_build(row)
        if row.who != GATEWAY or other not in results.samples:
            continue
        cells.append([PARTS[row.part], row.engine, number(row.pool), number(row.in_flight),
                      row.detail,
                      *(share(results, row, other, key) for key in ("value", SERVER, ALL))])
    return ["", *lines_of(cells, "<<>><>>>")] if len(cells) > 1 else []


def share(results: Results, row: Row, other: Row, key: str) -> str:
    ratios = [one / its_other for one, its_other
              in zip(results.rounds(row, key), results.rounds(other, key)) if its_other]
    return f"{statistics.median(ratios):.2f}" if ratios else ""


LEGEND = """\
median of the rounds, and the lowest and highest; pgbench's "in flight" are its connections
server, postgres, client: microseconds of CPU for each call (row, where rows are counted) of the
process that serves (gateway, echo, PgBouncer, Python), of all of PostgreSQL, of the load generator,
and all of these together, which moves least where the machine has other work
others: the share of the machine that was busy with something else, which no figure is free of"""


def whole(results: Results, outcomes: Iterable[Outcome], heading: str) -> str:
    return "\n".join([heading, LEGEND, *measurements(results), *against(results), "",
                      *figures(outcomes)])
