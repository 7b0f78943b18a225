"""The OpenAPI 3.1 document, made from the routes and the types of their requests and answers.

Each view is decorated with ``documented(…)``; ``/openapi.json`` is built from that once. A route
without it fails a test.
"""

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeVar

import msgspec
import orjson
from flask import Blueprint, Flask, Response, current_app

from recsys import __version__
from recsys.ledger import BROWSER_SCOPES
from recsys.ledger.events import Event
from serving.http import PROBLEM_KINDS, PROBLEM_TYPE, Problem, etag_of, is_held, reply, responses
from serving.schemas.recommendations import BatchCustomer

blueprint = Blueprint("openapi", __name__)

_SCHEME: Final = "key"
_BEARER: Final = {
    "type": "http",
    "scheme": "bearer",
    "description": "A key as `omnibasket keys create` shows it. Each call names the scope that its "
    "key needs. Without any configured key the service answers on this machine only, and needs "
    "none.",
}

#: A person signed in to the pages; see ``serving.access.session``.
_SESSION: Final = "session"
_COOKIE: Final = {
    "type": "apiKey",
    "in": "cookie",
    "name": "omnibasket_session",
    "description": "Made of a key by `POST /dashboard/session`, for pages. What changes something "
    "needs the header `X-CSRF-Token` besides.",
}

View = TypeVar("View", bound=Callable[..., Response])

_CACHE_SECONDS: Final = 300
_ATTRIBUTE: Final = "operation"
_TAGS: Final = {
    "channels": "What to show, and what happened",
    "marketers": "What sells together",
    "people": "One customer, for those who serve them",
    "back office": "What changes between two exports",
    "operators": "Is it well?",
    "pages": "For people",
}
_TITLES: Final = {
    200: "Done",
    201: "Made",
    207: "Some parts were refused",
    303: "Go on there",
    304: "What the caller holds is still so",
    **dict.fromkeys((401, 403, 429), "The page asks again"),
    404: "The page says that there is none",
    503: "Not ready",
}
#: Problems that any route may answer with.
_EVERYWHERE: Final = (
    "bad-request",
    "misdirected",
    "headers-too-large",
    "too-slow",
    "overloaded",
    "internal-error",
)
#: Problems of every route that needs a key.
_WITH_KEY: Final = (
    "key-missing",
    "key-unknown",
    "key-expired",
    "session-ended",
    "scope-missing",
    "csrf-missing",
    "cross-site",
    "origin-forbidden",
    "too-many-requests",
)


class Operation(msgspec.Struct, frozen=True):
    """What a route does, and the types of its requests and answers."""

    summary: str
    tag: str
    scope: str | None
    """Scope that a key needs; None if the route needs no key."""
    answers: Mapping[int, Any]
    """Status → type of its JSON, or a media type such as ``text/html``."""
    body: Any = None
    query: Any = None
    """Struct whose fields are the query parameters."""
    lists: Mapping[str, str | None] = {}
    problems: tuple[str, ...] = ()
    """Keys of ``PROBLEM_KINDS``, beside those that every route has."""
    also: tuple[str, ...] = ()
    """Other media types that a 200 may have."""
    headers: Mapping[str, str] = {}
    """Required header → its description."""
    example: Any = None
    """A body to try."""

    @property
    def every_problem(self) -> tuple[str, ...]:
        """Keys of ``PROBLEM_KINDS`` that an answer may be of."""
        guarded = _WITH_KEY if self.scope is not None else ()
        if self.scope not in (None, *BROWSER_SCOPES):
            guarded = (*guarded, "browser-key")
        return tuple(dict.fromkeys((*self.problems, *guarded, *_EVERYWHERE)))


def documented(
    summary: str,
    *,
    tag: str,
    scope: str | None = None,
    answers: Mapping[int, Any],
    body: Any = None,
    query: Any = None,
    lists: Mapping[str, str | None] = {},
    problems: tuple[str, ...] = (),
    also: tuple[str, ...] = (),
    headers: Mapping[str, str] = {},
    example: Any = None,
) -> Callable[[View], View]:
    """Describe a view for the document; its docstring is the description."""
    operation = Operation(
        summary, tag, scope, answers, body, query, lists, problems, also, headers, example
    )

    def mark(view: View) -> View:
        setattr(view, _ATTRIBUTE, operation)
        return view

    return mark


def operation_of(view: Callable[..., Any]) -> Operation | None:
    """Return what is documented of a view; None if nothing is."""
    operation: Operation | None = getattr(view, _ATTRIBUTE, None)
    return operation


def scope_of(view: Callable[..., Any]) -> str | None:
    """Return the scope that a key needs for a view; None if it needs no key."""
    operation = operation_of(view)
    return None if operation is None else operation.scope


@blueprint.get("/openapi.json")
@documented("This document", tag="operators", answers={200: dict[str, Any], 304: responses.JSON})
def document() -> Response:
    """OpenAPI 3.1 of every route."""
    cached: bytes | None = current_app.extensions.get("omnibasket.openapi")
    if cached is None:
        cached = orjson.dumps(build(current_app), option=orjson.OPT_INDENT_2)
        current_app.extensions["omnibasket.openapi"] = cached
    tag = etag_of(cached)
    held = is_held(tag)
    return reply(
        b"" if held else cached, 304 if held else 200, cache_seconds=_CACHE_SECONDS, etag=tag
    )


def build(app: Flask) -> dict[str, Any]:
    """Make the document of an application.

    Raises
    ------
    LookupError
        When a route is not documented.
    """
    operations = list(_operations(app))
    kinds = [
        kind
        for _, _, operation, _ in operations
        for kind in (operation.body, operation.query, *operation.answers.values())
        if kind is not None and not isinstance(kind, str)
    ]
    kinds = [*dict.fromkeys([*kinds, Event, BatchCustomer, Problem])]
    schemas, components = msgspec.json.schema_components(
        kinds, ref_template="#/components/schemas/{name}"
    )
    by_kind = dict(zip(kinds, schemas, strict=True))
    # The entries are decoded one by one, so the type of the body does not contain theirs.
    components["Events"]["properties"]["events"]["items"] = by_kind[Event]
    components["BatchRequest"]["properties"]["customers"]["items"] = by_kind[BatchCustomer]
    paths: dict[str, dict[str, Any]] = {}
    for path, method, operation, description in operations:
        paths.setdefault(path, {})[method] = _describe(
            path, method, operation, description, by_kind, components
        )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Omnibasket",
            "version": __version__,
            "description": "What to show one customer next, on every channel. Errors are problem "
            "details (RFC 9457); unknown fields are errors; times are ISO 8601 in UTC; money is "
            "in minor units with a currency. Without keys the service answers on this machine "
            "only.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [],
        "tags": [{"name": name, "description": text} for name, text in _TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {_SCHEME: _BEARER, _SESSION: _COOKIE},
        },
    }


def _operations(app: Flask) -> Iterator[tuple[str, str, Operation, str]]:
    """Yield path, method, operation and description of every route, in a stable order."""
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        view = app.view_functions[rule.endpoint]
        operation = getattr(view, _ATTRIBUTE, None)
        if operation is None:
            raise LookupError(f"{rule.rule}: the view {view.__name__} is not documented.")
        if rule.rule.startswith("/v1/") and operation.scope is None:
            raise LookupError(f"{rule.rule}: the view {view.__name__} names no scope.")
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield path, method.lower(), operation, inspect.getdoc(view) or ""


def _describe(
    path: str,
    method: str,
    operation: Operation,
    description: str,
    by_kind: Mapping[Any, dict[str, Any]],
    components: Mapping[str, Any],
) -> dict[str, Any]:
    name = re.sub(r"\W+", "_", path).strip("_")
    described: dict[str, Any] = {
        "operationId": f"{method}_{name or 'home'}",
        "summary": operation.summary,
        "description": _text(description),
        "tags": [operation.tag],
    }
    if operation.scope is not None:
        described["security"] = [{_SCHEME: [operation.scope]}, {_SESSION: []}, {}]
    parameters = [
        {"name": name[1:-1], "in": "path", "required": True, "schema": {"type": "string"}}
        for name in path.split("/")
        if name.startswith("{")
    ]
    if operation.query is not None:
        name = by_kind[operation.query]["$ref"].rpartition("/")[2]
        parameters += _parameters(components[name], operation.lists, components)
    parameters += [
        {
            "name": header,
            "in": "header",
            "required": True,
            "schema": {"type": "string"},
            "description": text,
        }
        for header, text in operation.headers.items()
    ]
    if parameters:
        described["parameters"] = parameters
    if operation.body is not None:
        content = {
            responses.JSON: {"schema": by_kind[operation.body], "example": operation.example}
        }
        described["requestBody"] = {"required": True, "content": content}
    described["responses"] = _responses(operation, by_kind)
    return described


def _text(docstring: str) -> str:
    """Turn a docstring into a paragraph of Markdown."""
    return " ".join(docstring.replace("``", "`").split())


def _responses(operation: Operation, by_kind: Mapping[Any, dict[str, Any]]) -> dict[str, Any]:
    """Describe the answers and the problems of an operation, by status."""
    titles: dict[int, list[str]] = {}
    contents: dict[int, dict[str, Any]] = {}
    for status, kind in operation.answers.items():
        titles[status] = [_TITLES[status]]
        contents[status] = (
            {kind: {}} if isinstance(kind, str) else {responses.JSON: {"schema": by_kind[kind]}}
        )
        if status == 200:
            contents[status] |= {media: {} for media in operation.also}
    for name in operation.every_problem:
        kind = PROBLEM_KINDS[name]
        titles.setdefault(kind.status, []).append(kind.title)
        content = contents.setdefault(kind.status, {})
        content[PROBLEM_TYPE] = {"schema": by_kind[Problem]}
    return {
        str(status): {"description": "; ".join(titles[status]), "content": contents[status]}
        for status in sorted(titles)
    }


def _parameters(
    schema: Mapping[str, Any], lists: Mapping[str, str | None], components: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Turn a struct's schema into query parameters; a nested struct becomes ``outer_inner``."""
    parameters: list[dict[str, Any]] = []
    for name, field in schema["properties"].items():
        members = field.get("anyOf", [field])
        inner = next((part for part in members if "$ref" in part), None)
        if inner is not None and name not in lists:
            nested = components[inner["$ref"].rpartition("/")[2]]
            for sub, sub_field in nested["properties"].items():
                parameters.append({"name": f"{name}_{sub}", "in": "query", "schema": sub_field})
            continue
        shape = {key: value for key, value in field.items() if key != "description"}
        if name in lists and lists[name] is not None:
            shape = {"type": "array", "items": {"type": "string"}}
        parameter: dict[str, Any] = {"name": name, "in": "query", "schema": shape}
        if field.get("description"):
            parameter["description"] = field["description"]
        if name in schema.get("required", ()):
            parameter["required"] = True
        parameters.append(parameter)
    return parameters
