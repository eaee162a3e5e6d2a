"""pgbench as a load: PostgreSQL without a gateway, and PgBouncer."""

from __future__ import annotations

import dataclasses
import pathlib
import re
import statistics
import tempfile
from collections.abc import Callable, Mapping

from suite import figures, metered

SCRIPTS = {
    "read": """\
\\set id random(1, :keys)
select id, name, quantity from bench_rows where id = :id;
""",
    "write": """\
\\set id random(1, :keys)
update bench_rows set quantity = quantity + 1 where id = :id;
""",
    # As the generator's: a read and two writes, rows in ascending order, so that there are no
    # deadlocks.
    "transaction": """\
\\set id random(1, :keys)
\\set one random(1, :keys)
\\set other random(1, :keys)
\\set first least(:one, :other)
\\set second greatest(:one, :other)
begin;
select id, name, quantity from bench_rows where id = :id;
update bench_rows set quantity = quantity + 1 where id = :first;
update bench_rows set quantity = quantity + 1 where id = :second;
commit;
""",
}


@dataclasses.dataclass(frozen=True)
class Printed:
    """What pgbench says at its end. Its time does not count what connecting took."""
    per_second: float
    transactions: int
    failed: int
    mean_us: float


def parse(text: str) -> Printed:
    def number(pattern: str) -> float:
        match = re.search(pattern, text, re.MULTILINE)
        if match is None:
            raise metered.MeasurementFailed(f"pgbench printed no {pattern!r}: {text[-500:]}")
        return float(match.group(1))

    return Printed(
        per_second=number(r"^tps = ([\d.]+) \(without initial connection time\)"),
        transactions=int(number(r"^number of transactions actually processed: (\d+)")),
        failed=int(number(r"^number of failed transactions: (\d+)")),
        mean_us=number(r"^latency average = ([\d.]+) ms") * 1e3)


def parse_log(lines: list[str]) -> list[float]:
    """The latency of each transaction in microseconds; those that failed have none."""
    return [float(fields[2]) for fields in (line.split() for line in lines)
            if len(fields) > 2 and fields[2].isdigit()]


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def measure(url: str, workload: str, connections: int, seconds: float, keys: int,
            servers: Mapping[str, Callable[[], float]], *, protocol: str = "prepared",
            each_latency: bool = False) -> figures.Sample:
    """`each_latency` writes a line for each transaction, which costs a little; for percentiles."""
    with tempfile.TemporaryDirectory() as directory:
        script = pathlib.Path(directory) / f"{workload}.sql"
        script.write_text(SCRIPTS[workload], encoding="utf-8")
        # One thread drives any number of connections; a second one pays on this many.
        threads = 2 if connections > 1 else 1
        command = ["pgbench", "-n", "-M", protocol, "-c", str(connections), "-j", str(threads),
                   "-T", f"{max(1, round(seconds))}", "-D", f"keys={keys}", "--max-tries=10",
                   "-f", str(script)]
        if each_latency:
            command += ["--log", f"--log-prefix={directory}/each"]
        done = metered.run([*command, url], seconds, servers, cwd=directory)
        printed = parse(done.output)
        if printed.transactions == 0:
            raise metered.MeasurementFailed("pgbench did no transaction")
        sample = figures.Sample(
            value=printed.per_second, others=done.others,
            cpu_us=metered.for_each(done.cpu_seconds, printed.transactions),
            errors={"failed": printed.failed} if printed.failed else {},
            more={"mean_us": printed.mean_us})
        if each_latency:
            latencies = [latency for log in sorted(pathlib.Path(directory).glob("each.*"))
                         for latency in parse_log(log.read_text(encoding="utf-8").splitlines())]
            if not latencies:
                raise metered.MeasurementFailed("pgbench wrote no latencies")
            sample.p50_us = statistics.median(latencies)
            sample.p99_us = percentile(latencies, 0.99)
            sample.p999_us = percentile(latencies, 0.999)
        return sample
