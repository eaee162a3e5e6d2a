"""Runs a client program to its end, and says what it and those who serve it used meanwhile."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence

from suite import figures, proc

# A client that hangs ends the measurement, not the run.
GRACE_SECONDS = 60.0
# Its output, when something went wrong: enough to see what.
SHOWN = 600


class MeasurementFailed(Exception):
    """One measurement could not be made; the others go on."""


@dataclasses.dataclass(frozen=True)
class Metered:
    output: str
    seconds: float
    cpu_seconds: dict[str, float]
    others: float


def clean_environment() -> dict[str, str]:
    """What every subject and client starts with: nothing of the caller's settings."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"}


def run(command: Sequence[str], seconds: float, servers: Mapping[str, Callable[[], float]],
        *, keep_output: bool = True, cwd: str | None = None) -> Metered:
    """`servers`: who serves it, each with a reading of its CPU seconds."""
    with tempfile.TemporaryFile(mode="w+") as output, tempfile.TemporaryFile(mode="w+") as errors:
        before = {name: read() for name, read in servers.items()}
        busy_before = proc.machine_busy_seconds()
        began = time.monotonic()
        process = subprocess.Popen(  # pylint: disable=consider-using-with
            command, env=clean_environment(), cwd=cwd, stdin=subprocess.DEVNULL,
            stdout=output if keep_output else subprocess.DEVNULL, stderr=errors)
        watchdog = threading.Timer(seconds + GRACE_SECONDS, process.send_signal, [signal.SIGKILL])
        watchdog.start()
        _, status, usage = os.wait4(process.pid, 0)
        watchdog.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        took = time.monotonic() - began
        busy = proc.machine_busy_seconds() - busy_before
        used = {name: read() - before[name] for name, read in servers.items()}
        used[figures.CLIENT] = usage.ru_utime + usage.ru_stime
        output.seek(0)
        errors.seek(0)
        text = output.read() if keep_output else ""
        if process.returncode != 0:
            raise MeasurementFailed(
                f"{os.path.basename(command[0])} ended with {process.returncode}: "
                f"{(errors.read() + text)[-SHOWN:].strip()}")
        processors = os.cpu_count() or 1
        others = max(0.0, busy - sum(used.values())) / (took * processors)
        return Metered(text, took, used, others)


def for_each(used: Mapping[str, float], number: float) -> dict[str, float]:
    """CPU seconds of all calls as microseconds of one."""
    return {name: seconds * 1e6 / number for name, seconds in used.items()} if number > 0 else {}
