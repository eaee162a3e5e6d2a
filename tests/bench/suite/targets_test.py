import unittest

from suite import targets
from suite.figures import Results
from suite.results_fixture import at_p50, complete, of
from suite.rows import MANY, direct_row, echo_row, gateway_row, stack_row


class Targets(unittest.TestCase):
    def test_every_figure_is_computed_from_a_complete_run(self):
        measured = [outcome.measured for outcome in targets.outcomes(complete())]
        wanted = [20, 20 / 24, 0.8, 2.0, 1.4, 0.9, 2.25, 0.6, 1.1, 0.5]
        self.assertEqual(len(measured), len(wanted))
        for one, other in zip(measured, wanted):
            self.assertAlmostEqual(one, other)

    def test_a_missed_bound_says_by_how_much_and_a_kept_one_nothing(self):
        missed = [outcome.missed for outcome in targets.outcomes(complete())]
        self.assertEqual(missed, ["", "short by 0.17", "short by 0.10", "above by 0.70", "", "",
                                  "short by 0.25", "", "", "short by 0.15"])

    def test_compares_with_the_best_of_several(self):
        parts = [outcome.parts for outcome in targets.outcomes(complete())]
        self.assertIn("pgbench 40,000/s with 8 connections", parts[1])
        self.assertIn("extended protocol", parts[2])
        self.assertEqual(parts[3], "200 us / (80 us + 20 us)")
        self.assertIn("10,000 clients", parts[8])

    def test_without_its_rows_a_figure_is_not_measured(self):
        self.assertEqual({outcome.measured for outcome in targets.outcomes(Results())}, {None})
        results = of({gateway_row("read", MANY): [10], stack_row("read", MANY): [1]})
        measured = [outcome.measured for outcome in targets.outcomes(results)]
        self.assertEqual(measured, [10, *[None] * 9])

    def test_the_spread_is_that_of_ratios_within_a_round(self):
        # The machine was half as fast in the second round: no ratio changed.
        results = of({gateway_row("read", MANY): [10, 5, 12], stack_row("read", MANY): [1, 0.5, 1]})
        first = next(targets.outcomes(results))
        self.assertEqual((first.measured, first.lowest, first.highest), (10, 10, 12))

    def test_a_round_that_one_of_its_rows_lacks_is_not_in_the_spread(self):
        results = of({gateway_row("read", MANY): [10, 20], stack_row("read", MANY): [1]})
        first = next(targets.outcomes(results))
        self.assertEqual((first.lowest, first.highest), (10, 10))

    def test_latencies_of_single_calls_are_medians_over_the_rounds(self):
        results = of({gateway_row("read", 1): [at_p50(300), at_p50(200), at_p50(250)],
                      echo_row("read", 1): [at_p50(100)] * 3,
                      direct_row("read", 1): [at_p50(25)] * 3})
        found = [outcome for outcome in targets.outcomes(results) if outcome.measured is not None]
        self.assertEqual([(one.measured, one.lowest, one.highest) for one in found],
                         [(2.0, 1.6, 2.4)])


if __name__ == "__main__":
    unittest.main()
