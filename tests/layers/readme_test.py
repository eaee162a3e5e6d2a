"""Tests of the comparison itself."""

import pathlib
import tempfile
import unittest

import readme

FILE = 'import x\n\n\ndef main():\n    with x.open() as y:\n        y.run()\n    return 0\n'
GOOD = ('Text.\n\n<!-- excerpt: a.py from "with x.open() as y:" to "y.run()" -->\n'
        "```python\nwith x.open() as y:\n    y.run()\n```\n\nMore text.\n")


class Excerpts(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.root = pathlib.Path(directory.name)
        (self.root / "a.py").write_text(FILE, encoding="utf-8")

    def found(self, text):
        return list(readme.differences(self.root, text))

    def test_one_that_is_as_its_file_says_passes(self):
        self.assertEqual(self.found(GOOD), [])

    def test_several_are_told_apart(self):
        self.assertEqual(self.found(GOOD + GOOD), [])
        self.assertEqual(len(self.found(GOOD + GOOD.replace("y.run()\n`", "y.walk()\n`"))), 1)

    def test_one_that_differs_is_reported(self):
        self.assertEqual(self.found(GOOD.replace("y.run()\n`", "y.walk()\n`")),
                         ["a.py: the excerpt is not what the file says"])

    def test_one_whose_file_or_lines_are_gone_is_reported(self):
        self.assertIn("does not exist", self.found(GOOD.replace("a.py", "b.py"))[0])
        self.assertIn("has no line", self.found(GOOD.replace('from "with', 'from "gone'))[0])
        self.assertIn("has no line", self.found(GOOD.replace('to "y', 'to "gone'))[0])

    def test_a_comment_without_its_block_is_reported(self):
        self.assertEqual(self.found('<!-- excerpt: a.py from "x" to "y" -->\nno block\n'),
                         ["an excerpt's comment is not followed by its block"])

    def test_an_update_makes_it_as_its_file_says(self):
        broken = GOOD.replace("    y.run()\n`", "old\nlines\n`")
        self.assertEqual(readme.updated(self.root, broken), GOOD)


if __name__ == "__main__":
    unittest.main()
