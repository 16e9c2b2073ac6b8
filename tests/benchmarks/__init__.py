"""Benchmarks: whole processes, ratios within one run, medians. `python -m tests.benchmarks` runs all of them."""
