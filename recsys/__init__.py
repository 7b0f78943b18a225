"""The recommendation library: from exports to ordered items, without a server or a command line."""

import os

# Two OpenMP runtimes that spin on two cores slow each other twentyfold; both variables only
# work when they are set before numpy is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

__version__ = "0.1.0"
