"""One script for each claim in the README: ``python -m benchmarks.<name> [--json FILE]``."""
