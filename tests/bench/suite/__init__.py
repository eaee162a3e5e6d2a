"""The parts of tests/bench/run: what is measured (plan), on what (rig, subjects), by what (generator,
pgbench), and how it is shown (figures, table, export, chart)."""
