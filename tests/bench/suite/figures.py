"""What was measured: plain values, and the few sums that are made of them.

A Row is one line of the table: who did what. Each round adds a Sample to it. Figures that are
compared are medians over the rounds; lowest and highest tell how far they can be trusted.
"""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Iterable

SERVER = "server"
POSTGRES = "PostgreSQL"
CLIENT = "client"
PROCESSES = (SERVER, POSTGRES, CLIENT)
ALL = "all"


@dataclasses.dataclass(frozen=True)
class Row:
    part: str
    who: str
    engine: str = ""
    pool: int | None = None
    in_flight: int | None = None
    detail: str = ""
    unit: str = "calls/s"


@dataclasses.dataclass
class Sample:
    """One round of a row. CPU is for each call, or each row of a stream."""
    value: float
    p50_us: float | None = None
    p99_us: float | None = None
    p999_us: float | None = None
    cpu_us: dict[str, float] = dataclasses.field(default_factory=dict)
    errors: dict[str, int] = dataclasses.field(default_factory=dict)
    others: float | None = None  # the share of the machine that was busy with something else
    more: dict[str, float] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Summary:
    median: float
    lowest: float
    highest: float


def summary(values: Iterable[float]) -> Summary:
    several = list(values)
    return Summary(statistics.median(several), min(several), max(several))


class Results:
    """The samples of each row, in the order in which rows came first."""

    def __init__(self) -> None:
        self.samples: dict[Row, list[Sample]] = {}
        self.failures: dict[Row, str] = {}

    def add(self, row: Row, sample: Sample) -> None:
        self.samples.setdefault(row, []).append(sample)

    def fail(self, row: Row, why: str) -> None:
        self.failures[row] = why

    def parts(self) -> list[str]:
        return list(dict.fromkeys(row.part for row in (*self.samples, *self.failures)))

    def of(self, row: Row, key: str = "value") -> Summary | None:
        """A figure by its name; None where it was not measured."""
        values = [figure(sample, key) for sample in self.samples.get(row, ())]
        known = [value for value in values if value is not None]
        return summary(known) if known else None

    def rounds(self, row: Row, key: str = "value") -> list[float]:
        values = [figure(sample, key) for sample in self.samples.get(row, ())]
        return [value for value in values if value is not None]

    def errors(self, row: Row) -> dict[str, int]:
        total: dict[str, int] = {}
        for sample in self.samples.get(row, ()):
            for reason, number in sample.errors.items():
                total[reason] = total.get(reason, 0) + number
        return total

    def best(self, rows: Iterable[Row]) -> Row | None:
        """The one with the highest median."""
        measured = [row for row in rows if self.samples.get(row)]
        return max(measured, key=lambda row: statistics.median(self.rounds(row)), default=None)


def figure(sample: Sample, key: str) -> float | None:
    if key in PROCESSES:
        return sample.cpu_us.get(key)
    if key == ALL:
        return sum(sample.cpu_us.values()) if sample.cpu_us else None
    if key in ("value", "p50_us", "p99_us", "p999_us", "others"):
        value: float | None = getattr(sample, key)
        return value
    return sample.more.get(key)
