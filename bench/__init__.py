"""Benchmarks behind `gigym bench NAME`: each is a module with `run(*, quick) -> dict`.

A result is `{"name", "rows", "notes"}`: rows are flat dicts of one shape, notes are sentences
about what the figures do and do not say; `tables` may hold further rows by name. `run_bench` adds
when, on what and of which commit.
"""

from .runner import BENCHES, BadBenchOption, UnknownBench, bench_names, run_bench

__all__ = ["BENCHES", "BadBenchOption", "UnknownBench", "bench_names", "run_bench"]
