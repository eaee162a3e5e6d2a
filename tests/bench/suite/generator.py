"""`emsdb bench` as a load: everything that serves QueryService and TransactionService."""

from __future__ import annotations

import contextlib
import json
import pathlib
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from suite import figures, metered

# Opening ten thousand connections takes some seconds.
HELD_AT_MOST = 300


class Generator:
    def __init__(self, program: pathlib.Path, keys: int) -> None:
        self._program = str(program)
        self._keys = keys

    def command(self, address: str, *arguments: str) -> list[str]:
        return [self._program, "--address", address, "bench", "--keys", str(self._keys),
                *arguments]

    def prepare(self, address: str) -> None:
        done = subprocess.run(self.command(address, "--prepare"), check=False, text=True,
                              env=metered.clean_environment(), capture_output=True, timeout=300)
        if done.returncode != 0:
            raise metered.MeasurementFailed(f"bench_rows was not made: {done.stderr}{done.stdout}")

    def measure(self, address: str, workload: str, seconds: float,
                servers: Mapping[str, Callable[[], float]], *options: str) -> figures.Sample:
        """A warm-up inside the measured process would be in the servers' CPU time and not among
        the calls: the caller warms up by a measurement that it throws away."""
        done = metered.run(
            self.command(address, "--workload", workload, "--seconds", f"{seconds:g}",
                         "--warm-up", "0", "--format", "json", *options),
            seconds, servers)
        return sample(json.loads(done.output), workload, done)

    @contextlib.contextmanager
    def holding(self, address: str, connections: int) -> Iterator[None]:
        """So many clients, each of whom has been answered once, are there while this lasts."""
        command = self.command(address, "--workload", "idle", "--connections", str(connections),
                               "--seconds", "3600", "--format", "json")
        with subprocess.Popen(command, env=metered.clean_environment(), text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as process:
            assert process.stdout is not None and process.stderr is not None
            watchdog = threading.Timer(HELD_AT_MOST, process.kill)
            watchdog.start()
            try:
                line = process.stderr.readline()
                if "are ready" not in line:
                    raise metered.MeasurementFailed(f"no idle connections: {line.strip()}")
                yield
                process.send_signal(signal.SIGINT)
                printed = process.stdout.read()
                process.wait()
            finally:
                watchdog.cancel()
                process.kill()
        if (answered := json.loads(printed or "{}").get("calls", 0)) != connections:
            raise metered.MeasurementFailed(f"only {answered} of {connections} clients stayed")


def sample(printed: dict[str, Any], workload: str, done: metered.Metered) -> figures.Sample:
    """What one run printed, as a round of a row."""
    calls = printed["calls"]
    if calls == 0:
        raise metered.MeasurementFailed(f"no call succeeded: {printed['errors']}")
    stream = workload == "stream"
    all_calls = calls + printed.get("slow", {}).get("calls", 0)
    latency = printed["latency_us"]
    used = {**done.cpu_seconds, figures.CLIENT: printed["client_cpu_seconds"]}
    more = {"statements_per_second": printed["statements_per_second"],
            "mean_us": latency["mean"], "max_us": latency["max"]}
    if "slow" in printed:
        more["slow_p50_us"] = printed["slow"]["latency_us"]["p50"]
    return figures.Sample(
        value=printed["rows_per_second" if stream else "calls_per_second"],
        p50_us=latency["p50"], p99_us=latency["p99"], p999_us=latency["p999"],
        cpu_us=metered.for_each(used, printed["rows"] if stream else all_calls),
        errors=dict(printed["errors"]), others=done.others, more=more)
