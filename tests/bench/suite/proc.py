"""What processes use, read from /proc: CPU time and resident memory.

Only differences between two readings mean anything. The text of each file is understood by a
function of its own, so that it can be tested without a process.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import pathlib
import re
from collections.abc import Iterator

TICK = 1 / os.sysconf("SC_CLK_TCK")
PROC = pathlib.Path("/proc")


@dataclasses.dataclass(frozen=True)
class Stat:
    """Seconds of CPU: of the process itself, and of its children that have ended."""
    parent: int
    own: float
    ended_children: float


def parse_stat(text: str) -> Stat:
    """Of /proc/PID/stat. A command's name may have spaces and brackets; it ends at the last one."""
    fields = text[text.rindex(")") + 2:].split()
    user, system, children_user, children_system = (int(one) * TICK for one in fields[11:15])
    return Stat(int(fields[1]), user + system, children_user + children_system)


def parse_resident_bytes(status: str) -> int:
    """Of /proc/PID/status."""
    match = re.search(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE)
    if match is None:
        raise ValueError("no VmRSS in the status of a process")
    return int(match.group(1)) * 1024


def parse_busy_seconds(stat: str) -> float:
    """Of /proc/stat: what all processors did since the start, other than idling."""
    fields = [int(one) for one in stat.splitlines()[0].split()[1:]]
    user, nice, system, _idle, _iowait, irq, softirq, steal = fields[:8]
    return (user + nice + system + irq + softirq + steal) * TICK


def stat_of(pid: int) -> Stat:
    return parse_stat((PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace"))


def cpu_seconds(pid: int) -> float:
    return stat_of(pid).own


def family_cpu_seconds(pid: int) -> float:
    """Of a process and all the children it ever had, such as PostgreSQL's postmaster. Those that
    live are asked themselves; the others are in the parent's account since it waited for them."""
    while True:
        parent = stat_of(pid)
        living = sum(stat.own for stat in every_stat() if stat.parent == pid)
        # One that ended in between may have been seen in neither place.
        if stat_of(pid).ended_children == parent.ended_children:
            return parent.own + parent.ended_children + living


def every_stat() -> Iterator[Stat]:
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):  # it has just ended
                yield stat_of(int(entry.name))


def resident_bytes(pid: int) -> int:
    return parse_resident_bytes((PROC / str(pid) / "status").read_text(encoding="utf-8"))


def machine_busy_seconds() -> float:
    return parse_busy_seconds((PROC / "stat").read_text(encoding="utf-8"))
