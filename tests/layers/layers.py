"""The rules of the source tree that a compiler does not keep, and the check for them.

Run as a program it prints every violation in the tree given as its argument, one in a line, and
ends with status 1 if there is any. Python's standard library only.
"""

import pathlib
import re
import sys

ROOMS = ("proto", "server", "client", "pool", "tests")

TOP_LEVEL = {
    "CMakeLists.txt", "CMakePresets.json", "proto", "server", "client", "pool", "tests", "deploy",
    "README.md",
}

# What a build or a developer puts there, and .gitignore names.
NOT_OURS = re.compile(r"^(\..*|build.*|data|node_modules|compile_commands\.json)$")

# Headers of others by how their paths begin; the first that fits counts.
LIBRARIES = (
    ("grpc", re.compile(r"grpc(pp|\+\+)?/")),
    ("protobuf", re.compile(r"google/protobuf/|.*\.pb\.h$")),
    ("libpqxx", re.compile(r"pqxx/|libpq|postgres_ext\.h$")),
    ("sqlite3", re.compile(r"sqlite3")),
    ("prometheus", re.compile(r"prometheus/")),
    ("civetweb", re.compile(r"civetweb|CivetServer")),
    ("spdlog", re.compile(r"spdlog/|fmt/")),
    ("cli11", re.compile(r"CLI/")),
    ("json", re.compile(r"nlohmann/")),
    ("openssl", re.compile(r"openssl/")),
    ("absl", re.compile(r"absl/")),
    ("gtest", re.compile(r"g(test|mock)/")),
    ("benchmark", re.compile(r"benchmark/")),
    # C++'s own headers have no dot; what is left are the system's.
    ("std", re.compile(r"[a-z_0-9]+$")),
    ("posix", re.compile(r"((sys|netinet|arpa|net|linux|bits)/)?[a-z_0-9]+\.h$")),
)

EVERYWHERE = {"absl", "std", "posix"}

# The first folder that fits counts: a row for each line of the table of layers.
MAY_INCLUDE = (
    ("pool/postgres/", {"pool", "pool/postgres", "libpqxx"} | EVERYWHERE),
    ("pool/sqlite/", {"pool", "pool/sqlite", "sqlite3"} | EVERYWHERE),
    ("pool/", {"pool"} | EVERYWHERE),
    # The wiring: the one place that names the drivers' connectors.
    ("server/main.cc", {"server", "pool", "pool/postgres", "pool/sqlite", "grpc", "protobuf",
                        "prometheus", "spdlog", "cli11", "json"} | EVERYWHERE),
    ("server/", {"server", "pool", "grpc", "protobuf", "prometheus", "civetweb", "spdlog", "cli11",
                 "json", "openssl"} | EVERYWHERE),
    ("client/", {"client", "grpc", "protobuf", "cli11", "json"} | EVERYWHERE),
)

INCLUDE = re.compile(r'^\s*#\s*include\s*(<[^>]+>|"[^"]+")')
COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
ENVIRONMENT = re.compile(r"\b(secure_getenv|getenv|environ)\b")
# A service looks a database up by FindDatabase, which asks whether the caller may use it.
LOOK_UP = re.compile(r"\bgateway_?(\(\))?\.pools\s*\.Find\(")
# A step of the wall clock must neither end a wait nor make a connection old.
WALL_CLOCK = re.compile(r"\b(system_clock|high_resolution_clock|utc_clock|CLOCK_REALTIME\w*|"
                        r"gettimeofday|absl::Now|GetCurrentTimeNanos|(std::)?time\((nullptr|NULL|0)\))")
SLEEP = re.compile(r"\b(sleep_for|sleep_until|usleep|nanosleep|SleepFor)\b")


def origin(header):
    """The room or library that a header belongs to; None for one that nobody knows."""
    path = header.strip('<>"')
    # Generated code lives under the path of its proto file.
    if path.endswith(".pb.h"):
        return "protobuf"
    for room in ("pool/postgres", "pool/sqlite", "pool", "server", "client", "tests"):
        if path.startswith(room + "/"):
            return room
    for library, pattern in LIBRARIES:
        if pattern.match(path):
            return library
    return None


def allowed_origins(path):
    for folder, origins in MAY_INCLUDE:
        if path.startswith(folder):
            return origins
    return None


def include_violations(path, text):
    allowed = allowed_origins(path)
    if allowed is None:
        return
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        source = origin(match.group(1))
        if source is None:
            yield f"{path}:{number}: {match.group(1)} is of no room and no known library"
        elif source not in allowed:
            yield f"{path}:{number}: {match.group(1)} is of {source}, which may not be used here"


def may_read_environment(path):
    return path == "server/main.cc" or path.startswith(("client/cli/", "tests/"))


def word_violations(path, text):
    code = COMMENT.sub("", text)
    if not may_read_environment(path) and ENVIRONMENT.search(code):
        yield f"{path}: reads the environment, which only server/main.cc and client/cli may do"
    if path.startswith("pool/") and SLEEP.search(code):
        yield f"{path}: sleeps; time comes from pool/clock"
    if path.startswith("pool/") and WALL_CLOCK.search(code):
        yield f"{path}: looks at the wall clock; time comes from pool/clock"
    if path.startswith("server/") and path != "server/admission.cc" and LOOK_UP.search(code):
        yield f"{path}: looks a database up for a caller; only server/admission.cc may do"


def header_violations(path, text):
    if not path.endswith(".h"):
        return
    if not text.startswith("//"):
        yield f"{path}: does not begin with a comment that says what it is for"
    guard = "EMSDB_" + re.sub(r"[/.]", "_", path).upper() + "_"
    if f"#ifndef {guard}\n#define {guard}\n" not in text:
        yield f"{path}: has no include guard {guard}"


def top_level_violations(root):
    names = {entry.name for entry in root.iterdir() if not NOT_OURS.match(entry.name)}
    for name in sorted(names - TOP_LEVEL):
        yield f"{name}: does not belong to the top level"
    for name in sorted(TOP_LEVEL - names):
        yield f"{name}: is missing at the top level"


def sources(root):
    for room in ROOMS:
        for path in sorted((root / room).rglob("*")):
            if path.suffix in (".h", ".cc") and "node_modules" not in path.parts:
                yield path


def violations(root):
    """Every violation in the tree under `root`, as lines to be read."""
    found = list(top_level_violations(root))
    for file in sources(root):
        path = file.relative_to(root).as_posix()
        text = file.read_text(encoding="utf-8")
        for check in (include_violations, word_violations, header_violations):
            found.extend(check(path, text))
    return found


def main():
    found = violations(pathlib.Path(sys.argv[1]))
    for violation in found:
        print(violation)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
