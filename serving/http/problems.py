"""Every error of the service as problem details (RFC 9457).

Views raise ``Refusal``; whatever else goes wrong ends in the same shape.
"""

import logging
from collections.abc import Iterable, Mapping
from typing import Annotated, Final

import msgspec
from flask import Flask, Response, g
from msgspec import Meta
from werkzeug.exceptions import HTTPException

from recsys.errors import LedgerError
from serving.http.problem_kinds import PROBLEM_KINDS
from serving.http.responses import reply

PROBLEM_TYPE: Final = "application/problem+json"
_log = logging.getLogger("omnibasket.service")


_BY_STATUS: Final = {
    400: "bad-request",
    404: "not-found",
    405: "method-not-allowed",
    406: "not-acceptable",
    413: "body-too-large",
    415: "not-json",
}


class FieldError(msgspec.Struct, frozen=True):
    """One field that is wrong."""

    pointer: Annotated[
        str,
        Meta(
            description="JSON pointer (RFC 6901) into the body; of a query, into the body it stands"
            " for."
        ),
    ]
    detail: str


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """Problem details as in RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    instance: Annotated[
        str, Meta(description="Names this occurrence: the request's id, as in X-Request-Id.")
    ]
    errors: list[FieldError] = []
    code: Annotated[str | None, Meta(description="Of a message that is held back: why.")] = None
    send_after: Annotated[
        str | None, Meta(description="When a message that is held back may go out.")
    ] = None
    recommendation_id: Annotated[
        str | None, Meta(description="Names the decision, for GET /v1/decisions.")
    ] = None


class Refusal(Exception):  # noqa: N818 - it is raised on purpose and is no fault of ours
    """Ends a request with a problem.

    Parameters
    ----------
    kind : str
        A key of ``PROBLEM_KINDS``.
    detail : str
        What was wrong and what to do.
    errors : iterable of FieldError
        The fields that are wrong.
    retry_seconds : int, optional
        Sent as ``Retry-After``.
    headers : iterable of (str, str)
        Sent besides.
    more : mapping, optional
        Further members of ``Problem``.
    """

    def __init__(
        self,
        kind: str,
        detail: str,
        errors: Iterable[FieldError] = (),
        retry_seconds: int | None = None,
        headers: Iterable[tuple[str, str]] = (),
        more: Mapping[str, str | None] | None = None,
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.errors = list(errors)
        self.retry_seconds = retry_seconds
        self.headers = list(headers)
        self.more = dict(more or {})


def problem(
    kind: str,
    detail: str,
    errors: Iterable[FieldError] = (),
    *,
    request_id: str | None = None,
    **more: str | None,
) -> Problem:
    """Describe a problem of a request; of the current one by default."""
    known = PROBLEM_KINDS[kind]
    return Problem(
        type=f"/problems#{kind}",
        title=known.title,
        status=known.status,
        detail=detail,
        instance=f"urn:omnibasket:request:{request_id or g.request_id}",
        errors=list(errors),
        **more,
    )


def register(app: Flask) -> None:
    """Answer every error of an application with problem details."""
    app.register_error_handler(Refusal, _refused)
    app.register_error_handler(LedgerError, _ledger_failed)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected)


def _answer(described: Problem, headers: Iterable[tuple[str, str]] = ()) -> Response:
    body = msgspec.json.encode(described)
    return reply(body, described.status, PROBLEM_TYPE, list(headers))


def _refused(refusal: Refusal) -> Response:
    wait = refusal.retry_seconds
    headers = [("Retry-After", str(wait))] if wait is not None else []
    described = problem(refusal.kind, refusal.detail, refusal.errors, **refusal.more)
    return _answer(described, [*headers, *refusal.headers])


def _ledger_failed(error: LedgerError) -> Response:
    _log.error("the ledger failed", extra={"request_id": g.request_id, "reason": str(error)})
    advice = PROBLEM_KINDS["ledger-unavailable"].advice
    return _answer(problem("ledger-unavailable", advice), [("Retry-After", "1")])


def _http_error(error: HTTPException) -> Response:
    status = error.code or 500
    kind = _BY_STATUS.get(status)
    if kind is None and 300 <= status < 400:
        redirect = error.get_response()
        return reply(b"", status, "text/plain", [("Location", redirect.headers["Location"])])
    if kind is None:
        return _unexpected(error)
    headers = []
    if status == 405:
        allowed = sorted(set(error.valid_methods or ()) - {"OPTIONS"})  # type: ignore[attr-defined]
        headers = [("Allow", ", ".join(allowed))]
    return _answer(problem(kind, PROBLEM_KINDS[kind].advice), headers)


def _unexpected(error: Exception) -> Response:
    _log.error("unexpected error", exc_info=error, extra={"request_id": g.request_id})
    return _answer(problem("internal-error", PROBLEM_KINDS["internal-error"].advice))
