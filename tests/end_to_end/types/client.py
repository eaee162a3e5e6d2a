#!/usr/bin/python3
"""Sends the cases of run.py through the Python stubs."""

import json
import os
import pathlib
import struct
import sys
import tempfile

import grpc

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "stubs" / "python"))
import example  # noqa: E402: for its generated stubs

DEADLINE = 30  # seconds


def to_value(kind, text):
    convert = {"null": lambda _: 0, "bool": lambda _: text == "true", "int64": int, "string": str,
               "double": lambda _: struct.unpack(">d", bytes.fromhex(text))[0],
               "bytes": bytes.fromhex}
    return value_pb2.Value(**{f"{kind}_value": convert[kind](text)})


def from_value(value):
    kind = value.WhichOneof("kind").removesuffix("_value")
    content = getattr(value, kind + "_value")
    if kind == "double":
        return [kind, struct.pack(">d", content).hex()]
    convert = {"null": lambda _: "", "bool": lambda truth: str(truth).lower(), "bytes": bytes.hex}
    return [kind, convert.get(kind, str)(content)]


def answer(queries, statements):
    sent = [statement_pb2.Statement(sql=one["sql"],
                                    parameters=[to_value(*value) for value in one["parameters"]])
            for one in statements]
    if len(sent) == 1:
        return queries.Query(query_service_pb2.QueryRequest(statement=sent[0]), timeout=DEADLINE)
    batch = [query_service_pb2.BatchStatement(statement=one) for one in sent]
    return queries.ExecuteBatch(query_service_pb2.ExecuteBatchRequest(statements=batch),
                                timeout=DEADLINE).results[-1]


def main():
    cases = json.loads(pathlib.Path(os.environ["EMSDB_CASES"]).read_text(encoding="utf-8"))
    queries = query_service_pb2_grpc.QueryServiceStub(
        grpc.insecure_channel(os.environ["EMSDB_ADDRESS"]))
    wrong = 0
    for case in cases:
        try:
            got = answer(queries, case["statements"])
            seen = ([column.type for column in got.columns],
                    [[from_value(value) for value in row.values] for row in got.rows])
        except grpc.RpcError as error:
            seen = (error.code(), error.details())
        if seen != (case["columns"], [case["row"]] if case["columns"] else []):
            wrong += 1
            print(f"{case['name']}: {str(seen)[:300]}, not {str(case['row'])[:300]}")
    print(f"checked {len(cases)}" if wrong == 0 else f"{wrong} of {len(cases)} are wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as stubs:
        example.generate_stubs(stubs)
        from emsdb.v1 import query_service_pb2, query_service_pb2_grpc, statement_pb2, value_pb2
        sys.exit(main())
