import unittest

from suite.figures import Results, Sample, Summary, figure, summary
from suite.results_fixture import of
from suite.rows import direct_row, echo_row


class Figures(unittest.TestCase):
    def test_a_summary_is_the_median_the_lowest_and_the_highest(self):
        self.assertEqual(summary([3, 1, 10]), Summary(3, 1, 10))
        self.assertEqual(summary([4, 2]), Summary(3, 2, 4))

    def test_what_no_round_measured_is_none(self):
        row = echo_row("read", 1)
        results = of({row: [5, 7, 6]})
        self.assertEqual(results.of(row), Summary(6, 5, 7))
        self.assertIsNone(results.of(row, "p50_us"))
        self.assertIsNone(results.of(echo_row("read", 8)))

    def test_the_best_has_the_highest_median_not_the_highest_round(self):
        steady, lucky = direct_row("read", 4), direct_row("read", 8)
        results = of({steady: [10, 10, 10], lucky: [1, 1, 100]})
        self.assertEqual(results.best([steady, lucky, direct_row("read", 16)]), steady)
        self.assertIsNone(Results().best([steady]))

    def test_errors_of_all_rounds_are_added(self):
        row = echo_row("read", 1)
        results = of({row: [Sample(1, errors={"A": 1}), Sample(1, errors={"A": 2, "B": 3}),
                            Sample(1)]})
        self.assertEqual(results.errors(row), {"A": 3, "B": 3})

    def test_finds_figures_wherever_a_sample_has_them(self):
        sample = Sample(1, p99_us=9, cpu_us={"server": 4}, more={"statements_per_second": 5})
        self.assertEqual([figure(sample, key) for key in
                          ("value", "p99_us", "p50_us", "server", "client",
                           "statements_per_second", "unknown")], [1, 9, None, 4, None, 5, None])

    def test_all_is_the_cpu_of_all_who_took_part(self):
        self.assertEqual(figure(Sample(1, cpu_us={"server": 4, "client": 3}), "all"), 7)
        self.assertIsNone(figure(Sample(1), "all"))


if __name__ == "__main__":
    unittest.main()
