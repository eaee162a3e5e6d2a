import unittest

from suite import generator
from suite.metered import Metered, MeasurementFailed, for_each

LATENCY = {"mean": 110.0, "p50": 100.0, "p90": 150.0, "p99": 200.0, "p999": 300.0, "max": 400.0}
DONE = Metered("", 2.0, {"server": 0.5, "PostgreSQL": 0.25, "client": 9.0}, 0.1)


def printed(**changes):
    return {"workload": "read", "calls": 1000, "rows": 1000, "calls_per_second": 500.0,
            "rows_per_second": 501.0, "statements_per_second": 502.0, "errors": {},
            "latency_us": LATENCY, "client_cpu_seconds": 0.1, **changes}


class Generator(unittest.TestCase):
    def test_a_run_is_a_sample_with_cpu_for_each_call(self):
        sample = generator.sample(printed(), "read", DONE)
        self.assertEqual((sample.value, sample.p50_us, sample.p99_us, sample.p999_us),
                         (500.0, 100.0, 200.0, 300.0))
        # The client's own word, without what starting it took.
        self.assertEqual(sample.cpu_us, {"server": 500.0, "PostgreSQL": 250.0, "client": 100.0})
        self.assertEqual(sample.more["statements_per_second"], 502.0)

    def test_a_stream_counts_rows(self):
        sample = generator.sample(printed(calls=2, rows=100_000), "stream", DONE)
        self.assertEqual(sample.value, 501.0)
        self.assertEqual(sample.cpu_us["server"], 5.0)

    def test_slow_calls_have_used_cpu_too(self):
        sample = generator.sample(printed(slow={"calls": 1000, "latency_us": LATENCY}), "mix", DONE)
        self.assertEqual(sample.cpu_us["server"], 250.0)

    def test_without_one_call_that_succeeded_there_is_no_figure(self):
        with self.assertRaisesRegex(MeasurementFailed, "UNAVAILABLE"):
            generator.sample(printed(calls=0, errors={"UNAVAILABLE": 3}), "read", DONE)

    def test_of_no_calls_there_is_no_cpu_for_each(self):
        self.assertEqual(for_each({"server": 1.0}, 0), {})


if __name__ == "__main__":
    unittest.main()
