"""The results for programs: JSON with every round, CSV with a line for each row."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from collections.abc import Iterable
from typing import Any

from suite.figures import ALL, PROCESSES, Results, Row
from suite.targets import Outcome

KEYS = ("value", "p50_us", "p99_us", "p999_us", *PROCESSES, ALL, "others")
# CPU is in microseconds of CPU for each call.
NAMES = {"others": "others_share", **{name: f"cpu_us_{name.lower()}" for name in (*PROCESSES, ALL)}}


def summaries(results: Results, row: Row) -> dict[str, dict[str, float]]:
    found = {NAMES.get(key, key): results.of(row, key) for key in KEYS}
    return {key: dataclasses.asdict(one) for key, one in found.items() if one is not None}


def as_json(results: Results, outcomes: Iterable[Outcome], run: dict[str, Any]) -> str:
    rows = [{**dataclasses.asdict(row), "figures": summaries(results, row),
             "errors": results.errors(row),
             "rounds": [dataclasses.asdict(sample) for sample in samples]}
            for row, samples in results.samples.items()]
    failed = [{**dataclasses.asdict(row), "why": why} for row, why in results.failures.items()]
    return json.dumps({"run": run, "rows": rows, "failed": failed,
                       "figures": [dataclasses.asdict(one) for one in outcomes]}, indent=2)


def as_csv(results: Results) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    identity = [field.name for field in dataclasses.fields(Row)]
    writer.writerow([*identity, "median", "lowest", "highest",
                     *(NAMES.get(key, key) for key in KEYS[1:]), "errors"])
    for row in results.samples:
        value = results.of(row)
        assert value is not None
        others = [results.of(row, key) for key in KEYS[1:]]
        writer.writerow([*dataclasses.astuple(row), value.median, value.lowest, value.highest,
                         *("" if one is None else one.median for one in others),
                         sum(results.errors(row).values())])
    return text.getvalue()
