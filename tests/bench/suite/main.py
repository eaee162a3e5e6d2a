"""The command line of tests/bench/run: builds, measures part by part, prints."""

from __future__ import annotations

import argparse
import datetime
import os
import pathlib
import platform
import resource
import signal
import subprocess
import sys
from typing import Any

from suite import chart, export, rig, table, targets
from suite.figures import Results
from suite.metered import MeasurementFailed
from suite.plan import Measurement, Plan
from suite.rows import PARTS

DESCRIPTION = """\
Measures the gateway beside what is used instead of it and beside the ceilings of gRPC and
PostgreSQL, every contender in turns in one run on this machine, and prints one table."""
# Descriptors that a process has beside its idle connections.
SPARE_DESCRIPTORS = 500


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests/bench/run", description=DESCRIPTION)
    parser.add_argument("--rounds", type=int, default=3, help="of each measurement (%(default)s)")
    parser.add_argument("--seconds", type=float, default=3.0,
                        help="of each measurement in each round (%(default)s)")
    parser.add_argument("--quick", action="store_true",
                        help="one round of one second, fewer rows and connections: does it work?")
    parser.add_argument("--only", action="append", choices=tuple(PARTS), metavar="PART",
                        help=f"of {', '.join(PARTS)}; may be given several times")
    parser.add_argument("--keys", type=int, default=10_000, help="rows in the table (%(default)s)")
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the stream (%(default)s)")
    parser.add_argument("--connections", type=int, default=10_000,
                        help="idle ones, at most (%(default)s)")
    parser.add_argument("--format", choices=("table", "json", "csv"), default="table")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE",
                        help="write the JSON there as well")
    parser.add_argument("--chart", type=pathlib.Path, metavar="FILE", help="draw an SVG there")
    parser.add_argument("--against", type=pathlib.Path, metavar="GATEWAY",
                        help="another build's emsdb-gateway, measured in turns with this one")
    given = parser.parse_args()
    if given.quick:
        given.rounds, given.seconds = 1, 1.0
        given.rows, given.connections = min(given.rows, 100_000), min(given.connections, 500)
    if given.against and not os.access(given.against, os.X_OK):
        parser.error(f"--against: {given.against} is no program")
    if given.rounds < 1 or given.seconds < 1:
        parser.error("at least one round of one second")
    return given


def build() -> None:
    for command in (["deploy/install-packages", "build", "test", "bench"],
                    ["cmake", "--preset", "release"],
                    ["cmake", "--build", "build", "--target", *rig.TARGETS]):
        rig.say(" ".join(command))
        done = subprocess.run(command, cwd=rig.ROOT, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"{done.stdout}{done.stderr}{' '.join(command)} failed")


def connections(wanted: int) -> tuple[int, ...]:
    """How many idle connections are held, as far as this machine lets a process have them."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    possible = possible_connections(wanted, hard)
    if possible < wanted:
        rig.say(f"a process may have {hard} descriptors here: {possible} idle connections, "
                f"not {wanted}")
    return tuple(sorted({0, possible // 10, possible}))


def possible_connections(wanted: int, descriptors: int) -> int:
    if descriptors == resource.RLIM_INFINITY:
        return wanted
    return min(wanted, max(0, descriptors - SPARE_DESCRIPTORS))


def measure(given: argparse.Namespace, results: Results) -> None:
    options = rig.Options(given.seconds, given.keys, given.rows, connections(given.connections))
    with rig.Rig(options) as contenders:
        plan = Plan(contenders, against=given.against and given.against.resolve())
        for part in given.only or PARTS:
            measurements = plan.measurements(part)
            for number in range(given.rounds):
                rig.say(f"{part}, round {number + 1} of {given.rounds}")
                # There and back, so that nobody always follows the same one.
                turns = measurements if number % 2 == 0 else measurements[::-1]
                for one in turns:
                    once(one, number, given.seconds, results)


def once(one: Measurement, number: int, seconds: float, results: Results) -> None:
    """What failed once is not tried again: it is told, and the others go on."""
    if one.row in results.failures:
        return
    try:
        if number == 0 and one.row.part not in ("idle", "stream"):
            one.run(1)  # warm: connections are open, statements prepared, caches filled
        sample = one.run(seconds)
    except MeasurementFailed as failure:
        rig.say(f"FAILED {one.row}: {failure}")
        results.fail(one.row, str(failure))
        return
    rig.say(f"  {one.row.who} {one.row.engine} {one.row.in_flight} {one.row.detail}: "
            f"{sample.value:,.0f} {one.row.unit}")
    results.add(one.row, sample)


def about(given: argparse.Namespace) -> dict[str, Any]:
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=rig.ROOT, text=True,
                            capture_output=True, check=False).stdout.strip()
    return {"when": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
            "commit": commit, "processors": os.cpu_count(), "processor": processor(),
            "kernel": platform.release(), "rounds": given.rounds, "seconds": given.seconds}


def processor() -> str:
    for line in pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def heading(run: dict[str, Any]) -> str:
    return (f"{run['commit']}, {run['when']}: {run['processors']} x {run['processor']}, "
            f"{run['rounds']} rounds of {run['seconds']:g} s")


def main() -> None:
    given = arguments()
    # As for Ctrl-C: what was started is stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))
    build()
    run, results = about(given), Results()
    try:
        measure(given, results)
    except KeyboardInterrupt:
        rig.say("stopped: what was measured so far")
    except MeasurementFailed as failure:
        sys.exit(f"tests/bench/run: {failure}")
    outcomes = list(targets.outcomes(results))
    as_json = export.as_json(results, outcomes, run)
    if given.json:
        given.json.write_text(as_json + "\n", encoding="utf-8")
    if given.chart:
        given.chart.write_text(chart.svg(results, heading(run)), encoding="utf-8")
    if given.format == "json":
        print(as_json)
    elif given.format == "csv":
        print(export.as_csv(results), end="")
    else:
        print(table.whole(results, outcomes, heading(run)))
    sys.exit(1 if results.failures else 0)
