"""Logs as one JSON object a line on standard error, without personal data.

Addresses are logged by their rule (``/v1/recommendations``), never with their query. An error that
repeats itself is logged every few seconds. Called once a process by ``serving.wsgi``.
"""

import contextlib
import logging
import sys
import time
import traceback
from datetime import UTC, datetime
from typing import Any, Final, TextIO

import orjson
from flask import Flask, Response, g, request

_STANDARD: Final = frozenset(vars(logging.makeLogRecord({})))
#: How often the same error is logged. Seconds.
_REPEAT_SECONDS: Final = 10.0
#: Health checks, every few seconds; logged only if they fail.
_QUIET: Final = frozenset(("/livez", "/readyz"))


class JsonLines(logging.Formatter):
    """Formats a record as one JSON object with its extra fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line."""
        line: dict[str, Any] = {
            "at": _moment(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: value for name, value in vars(record).items() if name not in _STANDARD}
        if record.exc_info and record.exc_info[0] is not None:
            # Log where it happened, not the message: it may hold parts of the request.
            frames = traceback.extract_tb(record.exc_info[2])
            line["error"] = record.exc_info[0].__name__
            line["where"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        return orjson.dumps(line, default=str).decode()


class Repetitions(logging.Filter):
    """Passes an error that has a ``reason`` every few seconds only, with how many were left out.

    While the ledger is away, every answer and every upkeep would otherwise log it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._passed: dict[tuple[str, str], tuple[float, int]] = {}  # when, and how many since

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a record is logged."""
        if record.exc_info or not hasattr(record, "reason"):
            return True
        key = (record.name, record.msg)
        passed, left_out = self._passed.get(key, (float("-inf"), 0))
        if record.created < passed + _REPEAT_SECONDS:
            self._passed[key] = (passed, left_out + 1)
            return False
        self._passed[key] = (record.created, 0)
        if left_out:
            record.left_out = left_out
        return True


def set_up(stream: TextIO = sys.stderr, level: int = logging.INFO) -> None:
    """Send the service's logs to a stream."""
    logger = logging.getLogger("omnibasket")
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    handler.addFilter(Repetitions())
    logger.handlers = [handler]
    logger.setLevel(level)
    logger.propagate = False


def register(app: Flask) -> None:
    """Log every answer of an application."""

    @app.after_request
    def log_access(response: Response) -> Response:
        logger = logging.getLogger("omnibasket")
        rule = request.url_rule.rule if request.url_rule is not None else None
        quiet = rule in _QUIET and response.status_code < 400
        if quiet or not logger.handlers or not logger.isEnabledFor(logging.INFO):
            return response
        line = {
            "at": _moment(time.time()),
            "level": "info",
            "logger": "omnibasket.access",
            "message": "answered",
            "request_id": g.request_id,
            "key": caller.key_id if (caller := g.get("caller")) is not None else None,
            "method": request.method if rule is not None else None,
            "route": rule,
            "status": response.status_code,
            "bytes": response.content_length,
            "milliseconds": round((time.perf_counter() - g.begun) * 1000, 2),
        }
        # A record of the logging module would take longer than everything else here.
        text = orjson.dumps(line).decode()
        for handler in logger.handlers:
            if isinstance(handler, logging.StreamHandler):
                with contextlib.suppress(OSError, ValueError):  # the reader is gone
                    handler.stream.write(f"{text}\n")
        return response


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
