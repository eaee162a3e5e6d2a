"""What people and programs get to see: table, CSV, JSON, chart."""

import csv
import io
import json
import unittest
from xml.etree import ElementTree

from suite import chart, export, table, targets
from suite.figures import Results, Sample
from suite.results_fixture import complete, of
from suite.rows import MANY, PARTS, echo_row, gateway_row, other_build

ROW = gateway_row("read", MANY)


def some():
    return of({ROW: [Sample(1234.4, p50_us=950, p99_us=12_345, cpu_us={"server": 61.24},
                            others=0.25, errors={"DEADLINE_EXCEEDED": 2}),
                     Sample(2000), Sample(1000)]})


class Table(unittest.TestCase):
    def test_columns_are_as_wide_as_their_widest_cell(self):
        self.assertEqual(table.lines_of([["a", "bbb"], ["cccc", "d"]], "<>"),
                         ["a     bbb", "cccc    d"])

    def test_a_row_has_the_median_with_its_spread_and_units(self):
        line = table.measurements(some())[-1]
        for words in ("gateway", "PostgreSQL", "10", "128", "1,234", "1,000 .. 2,000", "950 us",
                      "12.3 ms", "61.2", "25%", "DEADLINE_EXCEEDED: 2"):
            self.assertIn(words, line)

    def test_a_row_that_failed_says_why(self):
        results = Results()
        results.fail(ROW, "emsdb ended with 3:\nno route")
        self.assertRegex(table.measurements(results)[-1], r"gateway .*failed +emsdb .* no route")

    def test_another_build_is_compared_row_by_row(self):
        results = some()
        self.assertEqual(table.against(results), [])
        results.add(other_build(ROW), Sample(617.2, cpu_us={"server": 122.48}))
        self.assertRegex(table.against(results)[-1], r"one-row read .* 128 +2.00 +0.50 +0.50")

    def test_another_build_is_compared_within_each_round(self):
        results = of({ROW: [Sample(10), Sample(4), Sample(8)],
                      other_build(ROW): [Sample(5), Sample(4), Sample(2)]})
        self.assertRegex(table.against(results)[-1], r" 128 +2.00$")

    def test_every_part_has_its_title_and_every_figure_its_line(self):
        results = complete()
        text = table.whole(results, targets.outcomes(results), "here and now")
        for title in PARTS.values():
            if title != PARTS["transaction"]:
                self.assertIn(title.upper(), text)
        self.assertEqual(len(text.split("figure ")[-1].splitlines()), 1 + len(targets.TARGETS))
        self.assertIn("short by 0.17", text)


class Export(unittest.TestCase):
    def test_json_has_each_round_and_the_figures(self):
        results = some()
        got = json.loads(export.as_json(results, targets.outcomes(results), {"commit": "abc"}))
        row = got["rows"][0]
        self.assertEqual((row["who"], row["pool"], len(row["rounds"])), ("gateway", 10, 3))
        self.assertEqual(row["figures"]["value"],
                         {"median": 1234.4, "lowest": 1000, "highest": 2000})
        self.assertEqual(row["figures"]["cpu_us_server"]["median"], 61.24)
        self.assertEqual(got["run"], {"commit": "abc"})
        self.assertEqual(len(got["figures"]), len(targets.TARGETS))

    def test_csv_has_a_line_for_each_row_and_nothing_where_nothing_was_measured(self):
        results = some()
        results.add(echo_row("read", 1), Sample(5))
        first, second = csv.DictReader(io.StringIO(export.as_csv(results)))
        self.assertEqual((first["who"], first["median"], first["p50_us"], first["cpu_us_server"],
                          first["errors"]), ("gateway", "1234.4", "950", "61.24", "2"))
        self.assertEqual((second["p50_us"], second["errors"]), ("", "0"))


class Chart(unittest.TestCase):
    def test_is_xml_with_a_bar_for_each_row(self):
        results = complete()
        picture = ElementTree.fromstring(chart.svg(results, "a < b & c"))
        bars = picture.findall("{http://www.w3.org/2000/svg}rect")
        self.assertEqual(len(bars) - 1, len(results.samples))  # and the background

    def test_the_longest_bar_is_as_long_as_there_is_room(self):
        shapes = chart.part(of({ROW: [500], echo_row("read", MANY): [1000]}), "read", 0)[0]
        room = chart.WIDTH - chart.LABELS - chart.VALUES
        self.assertEqual([f'width="{width:.1f}"' in "".join(shapes)
                          for width in (room, room / 2)], [True, True])


if __name__ == "__main__":
    unittest.main()
