#!/usr/bin/python3
"""The gateway from Python, with stubs that are generated from the proto files.

Debian packages: python3-grpcio, protobuf-compiler, protobuf-compiler-grpc.
Environment: EMSDB_ADDRESS (127.0.0.1:50051), EMSDB_TOKEN if the gateway wants one.
Works on PostgreSQL and on SQLite. Ends with a status other than 0 if anything is not as it should be.
"""

import os
import pathlib
import queue
import shutil
import subprocess
import sys
import tempfile

import grpc

PROTO = pathlib.Path(__file__).resolve().parents[4] / "proto"
DEADLINE = 10  # seconds; every call should have one


def generate_stubs(out):
    """What a module does once, at build time."""
    plugin = shutil.which("grpc_python_plugin")
    files = sorted(str(path.relative_to(PROTO)) for path in PROTO.rglob("*.proto"))
    subprocess.run(["protoc", f"--proto_path={PROTO}", f"--python_out={out}", f"--grpc_out={out}",
                    f"--plugin=protoc-gen-grpc={plugin}", *files], check=True)
    sys.path.insert(0, out)


def statement(sql, *parameters):
    """`parameters` are Python values; anything without a kind of its own goes as text."""
    def value(given):
        if given is None:
            return value_pb2.Value(null_value=0)
        if isinstance(given, bool):  # before int: True is an int in Python
            return value_pb2.Value(bool_value=given)
        if isinstance(given, int):
            return value_pb2.Value(int64_value=given)
        if isinstance(given, float):
            return value_pb2.Value(double_value=given)
        if isinstance(given, bytes):
            return value_pb2.Value(bytes_value=given)
        return value_pb2.Value(string_value=str(given))
    return statement_pb2.Statement(sql=sql, parameters=[value(one) for one in parameters])


def python_value(value):
    kind = value.WhichOneof("kind")
    return None if kind == "null_value" else getattr(value, kind)


def error_info(error):
    """The reason, and details such as sqlstate, from an error of the gateway."""
    for key, details in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            for detail in rpc_status_pb2.RpcStatus.FromString(details).details:
                if detail.type_url == "type.googleapis.com/google.rpc.ErrorInfo":
                    return rpc_status_pb2.ErrorInfo.FromString(detail.value)
    return rpc_status_pb2.ErrorInfo()


def main():
    token = os.environ.get("EMSDB_TOKEN")
    metadata = [("emsdb-caller", "example")]
    if token:
        metadata.append(("authorization", "Bearer " + token))
    options = {"timeout": DEADLINE, "metadata": metadata}
    channel = grpc.insecure_channel(os.environ.get("EMSDB_ADDRESS", "127.0.0.1:50051"))
    queries = query_service_pb2_grpc.QueryServiceStub(channel)
    transactions = transaction_service_pb2_grpc.TransactionServiceStub(channel)

    def query(sql, *parameters, transaction=None):
        selector = transaction and statement_pb2.TransactionSelector(id=transaction)
        return queries.Query(query_service_pb2.QueryRequest(
            database="main", statement=statement(sql, *parameters), transaction=selector),
            **options)

    query("DROP TABLE IF EXISTS example_python")
    query("CREATE TABLE example_python (id bigint PRIMARY KEY, name text NOT NULL, note text)")

    # Both rows, or none. Without the commit the gateway rolls back after a while.
    begun = transactions.BeginTransaction(
        transaction_service_pb2.BeginTransactionRequest(database="main"), **options)
    insert = "INSERT INTO example_python VALUES ($1, $2, $3)"
    query(insert, 9223372036854775807, "Medic 7", None, transaction=begun.transaction_id)
    query(insert, 2, "Engine 12", "", transaction=begun.transaction_id)
    transactions.CommitTransaction(
        transaction_service_pb2.CommitTransactionRequest(transaction_id=begun.transaction_id),
        **options)

    answer = query("SELECT id, name, note FROM example_python WHERE id > $1 ORDER BY id", 1)
    rows = [tuple(python_value(value) for value in row.values) for row in answer.rows]
    for row in rows:
        print(row)
    assert rows == [(2, "Engine 12", ""), (9223372036854775807, "Medic 7", None)], rows

    # A transaction that ends with its stream: without the commit, or if this process dies, the
    # gateway rolls back at once.
    requests = queue.SimpleQueue()
    answers = transactions.Transact(iter(requests.get, None), **options)

    def ask(**request):
        requests.put(transaction_service_pb2.TransactRequest(**request))
        return next(answers)

    ask(begin=transaction_service_pb2.TransactBegin(database="main"))
    ask(savepoint=statement_pb2.SavepointAction(set="before"))
    twice = ask(statement=transaction_service_pb2.TransactStatement(
        statement=statement(insert, 2, "Engine 12", None)))
    assert twice.error.code == grpc.StatusCode.ALREADY_EXISTS.value[0], twice
    ask(savepoint=statement_pb2.SavepointAction(rollback_to="before"))
    ask(statement=transaction_service_pb2.TransactStatement(
        statement=statement(insert, 3, "Tower 3", None), expect_rows=1))
    done = ask(commit=transaction_service_pb2.TransactCommit())
    if done.HasField("committing"):  # a token for GetCommitOutcome, should the answer get lost
        done = next(answers)
    assert done.HasField("committed"), done
    requests.put(None)
    assert query("SELECT name FROM example_python WHERE id = 3").rows, "it was committed"

    try:
        query(insert, 2, "Engine 12", None)
        raise AssertionError("the same key twice must be refused")
    except grpc.RpcError as error:
        info = error_info(error)
        print(f"refused: {error.code().name} {info.reason} {info.metadata.get('sqlstate', '')}")
        assert error.code() == grpc.StatusCode.ALREADY_EXISTS, error
        assert info.domain == "emsdb.v1" and info.reason == "SQL_ERROR", info

    query("DROP TABLE example_python")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as stubs:
        generate_stubs(stubs)
        from emsdb.v1 import (query_service_pb2, query_service_pb2_grpc, statement_pb2,
                              transaction_service_pb2, transaction_service_pb2_grpc, value_pb2)
        from emsdb.wire.v1 import rpc_status_pb2
        main()
