#!/usr/bin/python3
"""run.py BIN postgres|sqlite COMMAND...: every type, there and back through a gateway of its own.

Makes cases from postgres.json or sqlite.json, asks the database itself (psql, Python's sqlite3) for
the answers, and has COMMAND send the cases: EMSDB_ADDRESS is the gateway, EMSDB_CASES a file. The
commands know nothing of types, so that each language has the whole table at the cost of one page.

A case is {"name", "statements": [{"sql", "parameters"}], "columns", "row"}: one statement is a Query,
several are a batch; the last one gives that one row. Values are [kind, text]: bytes in hex, doubles
as the 16 hex digits of their bits. COMMAND ends with status 0 and `checked N` if all were equal.

Traps: NULL beside the empty text and 'NULL' (T49), integers beyond 2^53 (T50), numeric (T51), floats
to the bit (T52), times and their settings (T53), bytea and text (T54), arrays (T55), json (T56),
all other types (T57), text for whatever the server infers (T59), storage classes (T60).
"""

import contextlib
import json
import os
import pathlib
import sqlite3
import struct
import subprocess
import sys
import tempfile
import uuid

HERE = pathlib.Path(__file__).resolve().parent
NULL = "\x01null\x01"  # as no value looks
NATIVE = {"bool": "bool", "int2": "int64", "int4": "int64", "int8": "int64", "oid": "int64",
          "float4": "double", "float8": "double", "bytea": "bytes"}
# What the gateway's sessions have, for the oracle's.
SESSION = "-c TimeZone=UTC -c DateStyle=ISO -c client_min_messages=warning"
# The rows of the catalogs themselves are no column types of users' tables; nor are arrays of them.
COLUMN_TYPES = """
  SELECT t.typname, t.typdelim, coalesce(e.typname, ''),
         coalesce((SELECT a.typdelim FROM pg_type a WHERE a.oid = t.typelem), ',')
  FROM pg_type t LEFT JOIN pg_type e ON e.typarray = t.oid
  WHERE t.typnamespace = 'pg_catalog'::regnamespace AND t.typtype IN ('b', 'r', 'm')
    AND NOT EXISTS (SELECT FROM pg_type r WHERE r.typarray = t.oid AND r.typtype = 'c')
  ORDER BY 1"""


def bits(number):
    return struct.pack(">d", number).hex() if number == number else "7ff8000000000000"


def literal(text):
    return "'" + text.replace("'", "''") + "'"


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def written(value):
    """A value of the data file: long ones are said by what they repeat."""
    if isinstance(value, str):
        return value
    return value.get("before", "") + value["repeat"] * value["times"] + value.get("after", "")


def typed(kind, text):
    """What psql prints, as the gateway should send it."""
    if text == NULL:
        return ["null", ""]
    if kind == "bool":
        return [kind, {"t": "true", "f": "false"}[text]]
    if kind == "double":
        return [kind, bits(float(text))]
    if kind == "bytes":
        return [kind, text.removeprefix("\\x")]
    return [kind or "string", text]


class Psql:
    """psql -At, which leaves out U+10FFFF and its like: those are left to the property tests."""

    def __init__(self, url):
        self.url = url

    def run(self, script, *options, check=True):
        """What it prints. In bytes on the way, since Python would read \\r\\n as one sign."""
        return subprocess.run(
            ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", *options, "-f", "-", self.url],
            input=script.encode(), check=check, stdout=subprocess.PIPE,
            stderr=None if check else subprocess.DEVNULL,
            env={**os.environ, "PGOPTIONS": SESSION, "PGCLIENTENCODING": "UTF8"}).stdout.decode()

    def rows(self, sql):
        return [line.split("|") for line in self.run(sql + ";\n").splitlines()]

    def answers(self, scripts):
        """The one cell that each script prints."""
        text = self.run(f"\\pset null '{NULL}'\n" + "".join(scripts), "-0")
        cells = text.split("\0")[:-1]
        assert len(cells) == len(scripts), f"{len(cells)} answers to {len(scripts)} questions"
        return cells


def array_of(values, delimiter):
    """The text of an array with these elements, then NULL."""
    elements = ['"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' for value in values]
    return "{" + delimiter.join(elements + ["NULL"]) + "}"


def builtin_values(psql, table):
    """Type -> values, for every built-in type that a column can have."""
    types, exceptions = table["types"], table["exceptions"]
    found = psql.rows(COLUMN_TYPES)
    names = {row[0] for row in found}
    for name in exceptions:
        assert name in names, f"{name} is excepted, but is no type of this server"
        assert not psql.run(f"SELECT ''::pg_catalog.{quoted(name)};\n", check=False), \
            f"{name} is excepted, but takes values"
    assert not types.keys() - names, f"no types of this server: {types.keys() - names}"
    values, missing = {}, []
    for name, _, element, delimiter in found:
        if name in exceptions:
            continue
        own = [written(value) for value in types.get(name, [])]
        if element:  # every array: what its elements' type has, in one; none; and its own
            own += ["{}"]
            if element not in exceptions:
                own += [array_of([written(value) for value in types.get(element, [])], delimiter)]
        elif not own:
            missing.append(name)
        values[name] = own
    assert not missing, f"types without a value in postgres.json: {missing}"
    print(f"{len(values)} built-in types, {len(exceptions)} excepted")
    return values


def postgres_cases(psql):
    table = json.loads((HERE / "postgres.json").read_text(encoding="utf-8"))
    psql.run(";\n".join(table["setup"]) + ";\n")
    questions = []  # type, its name in SQL, value or None, setting or None
    for name, values in builtin_values(psql, table).items():
        questions += [(name, "pg_catalog." + quoted(name), value, None) for value in [*values, None]]
    for name, values in table["own_types"].items():
        questions += [(name, quoted(name), written(value), None) for value in values]
        questions += [(name, quoted(name), None, None)]
    for entry in table["settings"]:
        questions += [(entry["type"], entry["type"], entry["value"], entry["set"])]

    scripts = []
    for _, sql_name, value, setting in questions:
        given = "NULL" if value is None else literal(value)
        ask = f"SELECT {given}::{sql_name};\n"
        if setting:
            ask = f"BEGIN; SET LOCAL {setting[0]} = {literal(setting[1])};\n{ask}COMMIT;\n"
        scripts.append(ask)
    cases = []
    for (name, sql_name, value, setting), answer in zip(questions, psql.answers(scripts)):
        column = table["base_of_domain"].get(name, name)
        expected = typed(NATIVE.get(column), answer)
        parameters = [["null", ""] if value is None else ["string", value]]
        if value is not None and expected[0] != "string":
            parameters.append(expected)  # also as what it is
        for parameter in parameters:
            statements = [{"sql": f"SELECT $1::{sql_name}", "parameters": [parameter]}]
            if setting:
                statements.insert(0, {"sql": "SELECT set_config($1, $2, true)",
                                      "parameters": [["string", text] for text in setting]})
            cases.append({"name": f"{name} of {parameter[0]} {parameter[1][:80]!r} {setting or ''}",
                          "statements": statements, "columns": [column], "row": [expected]})
    return cases


def sqlite_value(kind, text):
    """A value of the data file as Python's sqlite3 and as the cases have it."""
    convert = {"null": lambda _: None, "bool": bool, "int64": int, "double": float, "string": str,
               "bytes": bytes.fromhex}
    value = convert[kind](text)
    if kind == "double":
        return value, [kind, bits(value)]
    return value, [kind, str(text).lower() if kind == "bool" else "" if kind == "null" else text]


def storage_class(value):
    if value is None:
        return ["null", ""]
    if isinstance(value, int):
        return ["int64", str(value)]
    if isinstance(value, float):
        return ["double", bits(value)]
    return ["bytes", value.hex()] if isinstance(value, bytes) else ["string", value]


def sqlite_cases():
    table = json.loads((HERE / "sqlite.json").read_text(encoding="utf-8"))
    oracle = sqlite3.connect(":memory:")
    for sql in table["setup"]:
        oracle.execute(sql)
    cases = []
    for entry in table["values"]:
        [(kind, text)] = entry.items()
        value, parameter = sqlite_value(kind, text)
        name = f"{kind} {text!r}"
        row = oracle.execute("SELECT ?1, typeof(?1)", [value]).fetchone()
        cases.append({"name": name, "columns": ["", ""], "row": [storage_class(cell) for cell in row],
                      "statements": [{"sql": "SELECT $1, typeof($1)", "parameters": [parameter]}]})
        for home, declared in table["tables"].items():
            oracle.execute(f"DELETE FROM {home}")
            oracle.execute(f"INSERT INTO {home} VALUES (?)", [value])
            read = f"SELECT v, typeof(v) FROM {home}"
            cases.append({
                "name": f"{name} {home}", "columns": [declared, ""],
                "row": [storage_class(cell) for cell in oracle.execute(read).fetchone()],
                "statements": [{"sql": f"DELETE FROM {home}", "parameters": []},
                               {"sql": f"INSERT INTO {home} VALUES ($1)", "parameters": [parameter]},
                               {"sql": read, "parameters": []}]})
    return table["setup"], cases


@contextlib.contextmanager
def own_database():
    """A URL of a new database in the tests' PostgreSQL."""
    server = os.environ.get("EMSDB_TEST_POSTGRES_URL")
    assert server, "EMSDB_TEST_POSTGRES_URL is not set"
    name = "emsdb_types_" + uuid.uuid4().hex
    Psql(server).run(f"CREATE DATABASE {name};\n")
    try:
        yield server[:server.rindex("/") + 1] + name
    finally:
        Psql(server).run(f"DROP DATABASE {name} WITH (FORCE);\n")


def check(binaries, settings, cases, command):
    """Runs the command beside a gateway; it must have checked every case."""
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory, "cases.json")
        path.write_text(json.dumps(cases), encoding="utf-8")
        ended = subprocess.run(
            [HERE.parent / "with_gateway", binaries, *settings, "--", *command], check=False,
            env={**os.environ, "EMSDB_CASES": str(path)}, stdout=subprocess.PIPE, text=True)
    print(ended.stdout, end="")
    told = f"checked {len(cases)}"
    if ended.returncode != 0 or ended.stdout.splitlines()[-1:] != [told]:
        sys.exit(f"status {ended.returncode}; 0 and `{told}` were expected")


def main():
    binaries, engine, *command = sys.argv[1:]
    if engine == "sqlite":
        setup, cases = sqlite_cases()
        first = [{"name": sql, "statements": [{"sql": sql, "parameters": []}], "columns": [],
                  "row": []} for sql in setup]
        check(binaries, [], first + cases, command)
        return
    with own_database() as url:
        check(binaries, [f"DATABASE_URL={url}"], postgres_cases(Psql(url)), command)


if __name__ == "__main__":
    main()
