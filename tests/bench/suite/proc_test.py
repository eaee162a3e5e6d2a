import os
import unittest

from suite import proc

STAT = ("4711 (a (strange) name) S 17 4711 4711 0 -1 4194560 100 200 0 0 "
        "150 50 30 20 20 0 1 0 1000 1000000 500 18446744073709551615")


class Proc(unittest.TestCase):
    def test_finds_the_times_behind_a_name_with_brackets(self):
        stat = proc.parse_stat(STAT)
        self.assertEqual(stat.parent, 17)
        self.assertAlmostEqual(stat.own, 200 * proc.TICK)
        self.assertAlmostEqual(stat.ended_children, 50 * proc.TICK)

    def test_counts_all_but_idling_and_waiting_as_busy(self):
        text = "cpu  100 20 30 4000 500 6 7 8 9 10\ncpu0 1 1 1 1 1 1 1 1 0 0\n"
        self.assertAlmostEqual(proc.parse_busy_seconds(text), 171 * proc.TICK)

    def test_reads_resident_memory_in_bytes(self):
        self.assertEqual(proc.parse_resident_bytes("Name:\tx\nVmRSS:\t    12 kB\nX:\t1\n"), 12288)

    def test_says_when_there_is_no_resident_memory(self):
        with self.assertRaises(ValueError):
            proc.parse_resident_bytes("Name:\tkthreadd\n")

    def test_a_family_has_used_what_its_ended_and_its_living_children_have(self):
        before = proc.family_cpu_seconds(os.getpid())
        child = os.fork()
        if child == 0:
            begin = os.times()
            while sum(os.times()[:2]) - sum(begin[:2]) < 0.2:
                pass
            os.kill(os.getpid(), 19)  # stays, stopped, until it is told to go on
            os._exit(0)
        os.waitpid(child, os.WUNTRACED)
        living = proc.family_cpu_seconds(os.getpid()) - before
        os.kill(child, 18)
        os.waitpid(child, 0)
        ended = proc.family_cpu_seconds(os.getpid()) - before
        self.assertGreater(living, 0.15)
        self.assertGreaterEqual(ended, living)
        self.assertLess(ended, 5 * living, "an ended child is counted once")


if __name__ == "__main__":
    unittest.main()
