"""SQLAlchemy's QueuePool on connections that do nothing, measured as the pool of ours is.

Prints one JSON object: one thread that takes and gives back a connection that is always free, and
32 threads on 16 connections with what they waited for one. Needs Debian's python3-sqlalchemy.
"""

import json
import sys
import threading
import time

import sqlalchemy
from sqlalchemy.pool import QueuePool

CONNECTIONS = 16
THREADS = 32


class NullConnection:
    """What the pool asks of a DBAPI connection, and nothing behind it."""

    def rollback(self):
        pass

    def close(self):
        pass


def make_pool(size):
    return QueuePool(creator=NullConnection, pool_size=size, max_overflow=0, timeout=30,
                     use_lifo=True)


def one_thread(cycles):
    pool = make_pool(5)
    pool.connect().close()
    began = time.perf_counter_ns()
    for _ in range(cycles):
        pool.connect().close()
    return (time.perf_counter_ns() - began) / cycles


def cycle(pool, cycles, waits):
    for _ in range(cycles):
        asked = time.perf_counter_ns()
        connection = pool.connect()
        waits.append(time.perf_counter_ns() - asked)
        connection.close()


def many_threads(cycles):
    pool = make_pool(CONNECTIONS)
    waits = [[] for _ in range(THREADS)]
    threads = [threading.Thread(target=cycle, args=(pool, cycles, mine)) for mine in waits]
    began = time.perf_counter_ns()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter_ns() - began
    return took, sorted(wait for mine in waits for wait in mine)


def main():
    cycles = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    one = one_thread(cycles)
    took, waits = many_threads(cycles // THREADS)
    last = len(waits) - 1
    print(json.dumps({
        "version": sqlalchemy.__version__,
        "one_thread_ns": one,
        "cycles_per_second": len(waits) * 1e9 / took,
        "wait_p50_ns": waits[last // 2],
        "wait_p999_ns": waits[int(last * 0.999)],
        "wait_worst_ns": waits[last],
    }))


if __name__ == "__main__":
    main()
