"""The service as a WSGI application: ``serving.wsgi:app``, for the workspace of the environment.

``OMNIBASKET_WORKSPACE`` is its folder, the current one by default. ``serving.worker`` runs it. So
can any WSGI server that spawns its workers, but without the worker's deadlines and queues.
"""

import atexit
import gc
import os
import signal
import threading
import time

from recsys.config import load_config
from serving.app import create_app
from serving.http import log

#: Process that a worker must not outlive; set by ``omnibasket serve``.
PARENT = "OMNIBASKET_SERVE_PID"


def _end_with(parent: int) -> None:
    """Stop this worker when the process that started it is gone, for whatever reason."""
    while os.getppid() == parent:
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)


log.set_up()
app = create_app(load_config(os.environ.get("OMNIBASKET_WORKSPACE", ".")))
# On exit, write the exposures that still wait.
atexit.register(app.extensions["omnibasket"].close)
if os.environ.get(PARENT) == str(os.getppid()):
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
# What is loaded by now stays. Scanning it for garbage again and again would delay a request by a
# tenth of a second now and then.
gc.collect()
gc.freeze()
