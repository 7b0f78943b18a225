"""The report of a training: one HTML file that needs nothing else.

What ``train`` found comes in, as ``--json`` prints it; a page in words, tables and pictures comes
out. ``words`` says it, ``bars`` and ``curves`` draw it, ``page`` lays it out.
"""

from training.train.report.page import write

__all__ = ["write"]
