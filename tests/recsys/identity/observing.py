"""Observations written as one reads them: ``order("loyalty_card=C1 payment_token=T1")``."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from recsys.identity.links import LOGIN, OBSERVATIONS, REGISTRATION, SAME_ORDER
from recsys.identity.resolution import Resolution

START = datetime(2024, 1, 1, tzinfo=UTC)
SHORT = {"card": "loyalty_card", "token": "payment_token"}


class Seen:
    """Collects what was seen; each call is a group of its own, an hour after the one before."""

    def __init__(self) -> None:
        self.rows: list[dict[str, object]] = []
        self.groups = 0

    def order(self, text: str, times: int = 1, **more: object) -> "Seen":
        return self.add(SAME_ORDER, text, times, **more)

    def registration(self, text: str, **more: object) -> "Seen":
        return self.add(REGISTRATION, text, 1, **more)

    def session(self, text: str, times: int = 1, **more: object) -> "Seen":
        return self.add(LOGIN, text, times, **more)

    def add(self, evidence: str, text: str, times: int, **more: object) -> "Seen":
        for _ in range(times):
            self.groups += 1
            group = {
                "group_id": f"g{self.groups}",
                "evidence": evidence,
                "source": "export",
                "at": START + timedelta(hours=self.groups),
                "blocked": None,
            }
            for kind, value in map(pair, text.split()):
                self.rows.append(group | {"type": kind, "value": value} | more)
        return self

    def table(self) -> pa.Table:
        return pa.Table.from_pylist(self.rows, OBSERVATIONS)


def pair(text: str) -> tuple[str, str]:
    """``card=C1`` → ``("loyalty_card", "C1")``."""
    kind, _, value = text.partition("=")
    return SHORT.get(kind, kind), value


def short(kind: str, value: str) -> str:
    """The other way round."""
    return f"{ {long: name for name, long in SHORT.items()}.get(kind, kind) }={value}"


def customers(found: Resolution) -> list[set[str]]:
    """Who is one customer, largest first; without what is blocked."""
    groups: dict[str, set[str]] = {}
    for row in found.identifiers.to_pylist():
        if row["customer_id"] is not None:
            groups.setdefault(row["customer_id"], set()).add(short(row["type"], row["value"]))
    return sorted(groups.values(), key=lambda group: (-len(group), sorted(group)))


def blocked(found: Resolution) -> dict[str, str]:
    """Identifier → why it names nobody."""
    return {
        short(row["type"], row["value"]): row["blocked"]
        for row in found.identifiers.to_pylist()
        if row["blocked"] is not None
    }


def refused(found: Resolution) -> dict[frozenset[str], str]:
    """The two ends of a link → why it was refused."""
    return {
        frozenset(
            (short(row["type_a"], row["value_a"]), short(row["type_b"], row["value_b"]))
        ): row["refused"]
        for row in found.links.to_pylist()
        if row["refused"] is not None
    }


def link_id(found: Resolution, a: str, b: str, evidence: str | None = None) -> str:
    """The one link between two identifiers."""
    ids = [
        row["link_id"] for row in links_between(found, a, b) if evidence in (None, row["evidence"])
    ]
    assert len(ids) == 1
    return str(ids[0])


def links_between(found: Resolution, a: str, b: str) -> Iterable[dict[str, object]]:
    ends = {pair(a), pair(b)}
    for row in found.links.to_pylist():
        if {(row["type_a"], row["value_a"]), (row["type_b"], row["value_b"])} == ends:
            yield row
