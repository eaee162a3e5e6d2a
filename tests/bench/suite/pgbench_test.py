import unittest

from suite import pgbench
from suite.metered import MeasurementFailed

PRINTED = """\
pgbench (15.20 (Debian 15.20-0+deb12u1))
transaction type: read.sql
scaling factor: 1
query mode: prepared
number of clients: 8
number of threads: 2
maximum number of tries: 10
duration: 3 s
number of transactions actually processed: 126638
number of failed transactions: 2 (0.002%)
number of transactions retried: 1 (0.001%)
total number of retries: 1
latency average = 0.190 ms
initial connection time = 12.345 ms
tps = 42212.753992 (without initial connection time)
"""


class Pgbench(unittest.TestCase):
    def test_understands_what_pgbench_prints(self):
        self.assertEqual(pgbench.parse(PRINTED), pgbench.Printed(42212.753992, 126638, 2, 190.0))

    def test_says_what_is_missing_from_what_it_prints(self):
        with self.assertRaisesRegex(MeasurementFailed, "tps"):
            pgbench.parse(PRINTED.replace("tps =", "speed ="))

    def test_takes_latencies_from_the_log_and_none_from_failed_transactions(self):
        lines = ["0 1 150 0 1700000000 1", "0 2 failed 0 1700000000 2", "", "1 1 90 0 1700000000 3"]
        self.assertEqual(pgbench.parse_log(lines), [150.0, 90.0])

    def test_a_percentile_is_one_of_the_values(self):
        values = [float(one) for one in range(100, 0, -1)]
        self.assertEqual(pgbench.percentile(values, 0.99), 100.0)
        self.assertEqual(pgbench.percentile(values, 0.5), 51.0)
        self.assertEqual(pgbench.percentile([7.0], 0.999), 7.0)

    def test_the_transaction_has_the_gateways_three_statements(self):
        script = pgbench.SCRIPTS["transaction"]
        self.assertEqual((script.count("select"), script.count("update")), (1, 2))


if __name__ == "__main__":
    unittest.main()
