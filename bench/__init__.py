"""Benchmarks behind `gigym bench NAME`: each is a module with `run(*, quick) -> dict`.

A result is `{"name", "rows", "notes"}`: rows are flat dicts of one shape, notes are sentences
about what the figures do and do not say. `run_bench` adds when, on what and of which commit.
"""

from .runner import BENCHES, UnknownBench, bench_names, run_bench

__all__ = ["BENCHES", "UnknownBench", "bench_names", "run_bench"]
