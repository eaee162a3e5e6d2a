"""The parts of tests/bench/run: what is measured (plan, rows), on what (rig, subjects), by what
(generator, pgbench), and how it is compared and shown (figures, targets, table, export, chart)."""
