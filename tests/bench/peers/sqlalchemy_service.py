#!/usr/bin/python3
"""What is in use in the gateway's place: grpcio, SQLAlchemy's QueuePool with pre-ping, psycopg2.

    sqlalchemy_service.py URL POOL_SIZE

serves QueryService.Query of emsdb.v1 on a free port of 127.0.0.1, prints it, and ends with SIGTERM.
A thread for each connection, as gRPC's Python servers are made; more threads than connections only
wait, and for Python's lock as well. Debian packages: python3-grpcio, python3-sqlalchemy,
python3-psycopg2, protobuf-compiler, protobuf-compiler-grpc.
"""

import concurrent.futures
import functools
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile

import grpc
import sqlalchemy

PROTO = pathlib.Path(__file__).resolve().parents[3] / "proto"
TYPES = {16: "bool", 20: "int8", 23: "int4", 25: "text", 701: "float8"}


def generate_stubs(out):
    plugin = shutil.which("grpc_python_plugin")
    files = sorted(str(path.relative_to(PROTO)) for path in PROTO.rglob("*.proto"))
    subprocess.run(["protoc", f"--proto_path={PROTO}", f"--python_out={out}", f"--grpc_out={out}",
                    f"--plugin=protoc-gen-grpc={plugin}", *files], check=True)
    sys.path.insert(0, out)


@functools.lru_cache(maxsize=100)
def clause(sql):
    """SQLAlchemy's form of a statement, whose placeholders are :p1, :p2."""
    return sqlalchemy.text(re.sub(r"\$(\d+)", r":p\1", sql))


def python_value(value):
    kind = value.WhichOneof("kind")
    return None if kind == "null_value" else getattr(value, kind)


def proto_value(cell):
    if cell is None:
        return value_pb2.Value(null_value=0)
    if isinstance(cell, bool):  # before int: True is an int in Python
        return value_pb2.Value(bool_value=cell)
    if isinstance(cell, int):
        return value_pb2.Value(int64_value=cell)
    if isinstance(cell, float):
        return value_pb2.Value(double_value=cell)
    return value_pb2.Value(string_value=str(cell))


def response(result):
    answer = query_service_pb2.QueryResponse(rows_affected=max(result.rowcount, 0))
    if not result.returns_rows:
        return answer
    for column in result.cursor.description:
        answer.columns.add(name=column.name, type=TYPES.get(column.type_code, ""),
                           type_oid=column.type_code)
    for row in result:
        answer.rows.add(values=[proto_value(cell) for cell in row])
    return answer


def make_service(engine):
    class QueryService(query_service_pb2_grpc.QueryServiceServicer):
        def Query(self, request, context):
            parameters = {f"p{number}": python_value(value)
                          for number, value in enumerate(request.statement.parameters, 1)}
            try:
                # A read is rolled back when its connection is given back.
                scope = engine.connect() if request.read_only else engine.begin()
                with scope as connection:
                    return response(connection.execute(clause(request.statement.sql), parameters))
            except sqlalchemy.exc.TimeoutError as error:
                context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, str(error))
            except sqlalchemy.exc.DBAPIError as error:
                context.abort(grpc.StatusCode.UNKNOWN, str(error.orig))

    return QueryService()


def main(url, size):
    engine = sqlalchemy.create_engine(url, pool_size=size, max_overflow=0, pool_timeout=30,
                                      pool_recycle=1800, pool_pre_ping=True, future=True)
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(max_workers=size))
    query_service_pb2_grpc.add_QueryServiceServicer_to_server(make_service(engine), server)
    port = server.add_insecure_port("127.0.0.1:0")
    signal.signal(signal.SIGTERM, lambda *_: server.stop(0))
    server.start()
    print(f"SQLAlchemy {sqlalchemy.__version__} serves on port {port}", flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as stubs:
        generate_stubs(stubs)
        from emsdb.v1 import query_service_pb2, query_service_pb2_grpc, value_pb2
        main(sys.argv[1], int(sys.argv[2]))
