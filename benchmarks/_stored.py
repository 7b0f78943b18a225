"""What serving is measured against: the same server, sending 2 KB of JSON that lie ready.

``app`` is the bare server; ``flask_app`` sends the same through Flask, as the service does.
"""

import json
from collections.abc import Callable
from typing import Any

from flask import Flask, Response

_ITEMS = [{"item_id": f"item-{n}", "rank": n, "score": 0.5 / (n + 1)} for n in range(45)]
BODY = json.dumps({"items": _ITEMS}).encode()[:2048].ljust(2048)


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:  # noqa: ARG001
    """Answer anything with the stored JSON."""
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(BODY)))]
    start_response("200 OK", headers)
    return [BODY]


flask_app = Flask("stored")


@flask_app.get("/<path:path>")
def stored(path: str) -> Response:  # noqa: ARG001
    """Answer anything with the stored JSON."""
    return Response(BODY, content_type="application/json")
