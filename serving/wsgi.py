"""What a server's worker loads: ``serving.wsgi:app``, for the workspace that the environment names.

``OMNIBASKET_WORKSPACE`` is its folder, the present one by default. ``omnibasket serve`` starts
workers with it; any WSGI server that spawns its workers can.
"""

import atexit
import os

from recsys.config import load
from serving import log
from serving.app import create_app

log.set_up()
app = create_app(load(os.environ.get("OMNIBASKET_WORKSPACE", ".")))
# A worker that is told to stop writes the exposures that still wait.
atexit.register(app.extensions["omnibasket"].close)
