"""Measures the gateway beside a direct call, in one run: `python -m benchmarks` (`make bench`)."""
