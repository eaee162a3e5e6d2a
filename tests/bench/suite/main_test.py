import resource
import unittest

from suite import main
from suite.figures import Results, Sample
from suite.metered import MeasurementFailed
from suite.plan import Measurement
from suite.rows import echo_row, idle_row


class Main(unittest.TestCase):
    def test_holds_as_many_connections_as_a_process_may_have_descriptors_for(self):
        self.assertEqual(main.possible_connections(10_000, 20_000), 10_000)
        self.assertEqual(main.possible_connections(10_000, 4_096), 3_596)
        self.assertEqual(main.possible_connections(10_000, 256), 0)
        self.assertEqual(main.possible_connections(10_000, resource.RLIM_INFINITY), 10_000)

    def test_the_first_round_is_preceded_by_one_that_does_not_count(self):
        seconds = []
        one = Measurement(echo_row("read", 1), lambda s: seconds.append(s) or Sample(s))
        results = Results()
        for number in range(2):
            main.once(one, number, 3, results)
        self.assertEqual(seconds, [1, 3, 3])
        self.assertEqual(results.rounds(one.row), [3, 3])

    def test_memory_is_measured_of_a_fresh_process_so_nothing_goes_before(self):
        seconds = []
        one = Measurement(idle_row("gateway", 5), lambda s: seconds.append(s) or Sample(s))
        main.once(one, 0, 3, Results())
        self.assertEqual(seconds, [3])

    def test_what_failed_once_is_told_and_not_tried_again(self):
        tried = []

        def fail(seconds):
            tried.append(seconds)
            raise MeasurementFailed("no route")

        one, results = Measurement(echo_row("read", 1), fail), Results()
        for number in range(3):
            main.once(one, number, 3, results)
        self.assertEqual((len(tried), results.failures), (1, {one.row: "no route"}))


if __name__ == "__main__":
    unittest.main()
