"""Writes all figures into the documents: ``python -m benchmarks._figures [--check]``."""

import argparse
import sys

from benchmarks._figures import DOCUMENTS, ROOT, read, with_figures


def main() -> int:
    """Write the documents; with ``--check`` only say which of them differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; end with 1 if so")
    check = parser.parse_args().check
    differing = 0
    for path in DOCUMENTS:
        text = path.read_text(encoding="utf-8")
        written = with_figures(text, read)
        if written == text:
            continue
        differing += 1
        sys.stdout.write(f"{path.relative_to(ROOT)}\n")
        if not check:
            path.write_text(written, encoding="utf-8")
    return int(check and differing > 0)


if __name__ == "__main__":
    sys.exit(main())
