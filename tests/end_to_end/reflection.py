"""Server reflection names every service: what generic clients such as grpcurl live by.

Run beside a gateway whose address is in EMSDB_ADDRESS. Speaks the protocol by hand, since Debian
has no stub for it: one request that asks for the services, whose names stand in the answer as text.
"""

import os
import sys

import grpc

# ServerReflectionRequest{list_services: ""}
LIST_SERVICES = bytes([7 << 3 | 2, 0])
METHOD = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
EXPECTED = [
    b"emsdb.v1.QueryService",
    b"emsdb.v1.TransactionService",
    b"emsdb.v1.DatabaseService",
    b"grpc.health.v1.Health",
]


def main():
    with grpc.insecure_channel(os.environ["EMSDB_ADDRESS"]) as channel:
        reflect = channel.stream_stream(METHOD)
        answer = b"".join(reflect(iter([LIST_SERVICES]), timeout=10))
    missing = [name.decode() for name in EXPECTED if name not in answer]
    if missing:
        sys.exit("reflection does not name " + ", ".join(missing))


if __name__ == "__main__":
    main()
