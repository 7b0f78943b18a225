"""Writes the measured figures in README.md and docs from the results in ``benchmarks/results``.

A table or a paragraph stands between ``<!-- figures: NAME -->`` and ``<!-- end of figures -->``,
a figure within a sentence between ``<!-- figure: NAME -->`` and ``<!-- /figure -->``.
``make figures`` writes all of them; a test fails while a document differs from the results. To
renew a figure, run its benchmark with ``--json`` and put the file into ``benchmarks/results`` as
it was written. Times are read from ``benchmarks/results/times`` alone: what is there was measured
on a machine with nothing else to do.

    python -m benchmarks._figures [--check]
"""

from benchmarks._figures.documents import (
    DOCUMENTS,
    FIGURES,
    ROOT,
    TABLES,
    named,
    with_figures,
    without_figures,
)
from benchmarks._figures.results import RESULTS, Figure, Read, Results, read

__all__ = [
    "DOCUMENTS",
    "FIGURES",
    "RESULTS",
    "ROOT",
    "TABLES",
    "Figure",
    "Read",
    "Results",
    "named",
    "read",
    "with_figures",
    "without_figures",
]
