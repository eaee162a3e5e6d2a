"""Results as a run would have made them, for the tests."""

from suite.figures import Results, Row, Sample
from suite.rows import (GATEWAY, MANY, POOL, POSTGRES, PSQL, SINGLE, SLOW_POOL, WITH, WITHOUT,
                        bouncer_row, direct_row, echo_row, gateway_row, idle_row, sqlite_row,
                        stack_row)


def of(values):
    """Results of {row: values of the rounds}."""
    results = Results()
    for row, rounds in values.items():
        for value in rounds:
            results.add(row, value if isinstance(value, Sample) else Sample(value))
    return results


def at_p50(micros):
    return Sample(1e6 / micros, p50_us=micros, p99_us=2 * micros)


def complete():
    """Every row that a figure needs, once."""
    return of({
        gateway_row("read", MANY): [20_000],
        echo_row("read", MANY): [60_000],
        sqlite_row("read", MANY): [30_000],
        **{direct_row("read", n): [value] for n, value in ((4, 30_000), (8, 40_000), (16, 20_000))},
        bouncer_row("read", MANY, "simple"): [10_000],
        bouncer_row("read", MANY, "extended"): [25_000],
        stack_row("read", MANY): [1_000],
        gateway_row("read", 1): [at_p50(200)],
        echo_row("read", 1): [at_p50(80)],
        direct_row("read", 1): [at_p50(20)],
        gateway_row("write", MANY): [4_500],
        direct_row("write", POOL): [5_000],
        gateway_row("batch", MANY): [Sample(9_000, more={"statements_per_second": 45_000})],
        gateway_row("batch", MANY, detail=SINGLE): [20_000],
        gateway_row("stream", 1, unit="rows/s"): [900_000],
        Row("stream", PSQL, POSTGRES, 1, 1, "", "rows/s"): [1_500_000],
        gateway_row("mix", MANY, SLOW_POOL, WITHOUT): [Sample(9_000, p99_us=10_000)],
        gateway_row("mix", MANY, SLOW_POOL, WITH): [Sample(8_000, p99_us=14_000)],
        idle_row(GATEWAY, 0): [30], idle_row(GATEWAY, 10_000): [660],
        idle_row("gRPC echo", 0): [20], idle_row("gRPC echo", 10_000): [600],
    })
