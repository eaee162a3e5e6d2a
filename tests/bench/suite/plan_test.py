import pathlib
import unittest

from suite import targets
from suite.figures import Results, Sample
from suite.plan import Plan
from suite.rig import Options, Rig
from suite.rows import GATEWAY, IN_FLIGHT, OTHER_BUILD, PARTS

OPTIONS = Options(seconds=1, keys=10, stream_rows=10, connections=(0, 5, 10))


def rows(part, **options):
    # A rig starts nothing before it is entered.
    return [one.row for one in Plan(Rig(OPTIONS), **options).measurements(part)]


class PlanOfARun(unittest.TestCase):
    def test_no_row_is_measured_twice(self):
        every = [row for part in PARTS for row in rows(part)]
        self.assertEqual(len(every), len(set(every)))

    def test_measures_everything_that_the_figures_compare(self):
        results = Results()
        for part in PARTS:
            for row in rows(part):
                results.add(row, Sample(1, p50_us=1, p99_us=1, more={"statements_per_second": 1}))
        missing = [one.words for one in targets.outcomes(results) if one.measured is None]
        self.assertEqual(missing, [])

    def test_reads_are_measured_at_every_number_in_flight(self):
        found = {row.in_flight for row in rows("read") if row.who == GATEWAY}
        self.assertEqual(found, set(IN_FLIGHT))

    def test_another_build_has_its_turn_after_each_row_of_this_one(self):
        for part in PARTS:
            names = [row.who for row in rows(part, against=pathlib.Path("/other"))]
            after = [names[at + 1] for at, name in enumerate(names) if name == GATEWAY]
            self.assertEqual(set(after), {OTHER_BUILD})
            self.assertEqual(names.count(OTHER_BUILD), names.count(GATEWAY))


if __name__ == "__main__":
    unittest.main()
