"""Rate limits: how many requests and events one caller may send, over all workers of a machine.

Each request counts for its key and, if a page sent it, for the address that it comes from; events
count one by one. A caller who has used up a quota waits until it refills. Called by ``app`` for
every request, and by the view of events.
"""

import contextlib
import fcntl
import hashlib
import logging
import math
import os
import struct
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, Literal, NamedTuple

from flask import Response, g

from recsys.config import LimitSettings
from recsys.ledger import Key
from serving.access.admission import is_browser
from serving.access.client_addresses import ClientAddresses
from serving.http import Refusal

_log = logging.getLogger("omnibasket.service")

#: In the state folder.
FILE: Final = "rates"
MINUTE, HOUR = 60, 3_600
Unit = Literal["requests", "events"]

_SLOT: Final = struct.Struct("<Qd")  # caller, and when their quota is full again (epoch seconds)
#: Callers with the same hash share the slots of a set; if all are taken, the fullest quota goes.
_WAYS: Final = 8
_SETS: Final = 8_192
_SET_BYTES: Final = _WAYS * _SLOT.size


class Policy(NamedTuple):
    """A quota: an amount per window, all of which may be used at once."""

    name: str
    quota: int
    window: int
    """Seconds in which the whole quota refills, gradually."""
    unit: Unit
    owner: str
    """Who has the quota, in words for people: ``key`` or ``address``."""


#: Attempts to sign in to the pages, per valid key; all wrong keys share one quota.
_SIGN_IN: Final = Policy("sign-in", 30, MINUTE, "requests", "key")


class Usage(NamedTuple):
    """What one caller has left of a quota."""

    policy: Policy
    left: int
    reset_seconds: int
    """Until all of it is there again."""
    wait_seconds: float = 0.0
    """Until the quota has refilled enough for the request; 0: it was taken."""


class QuotaFile:
    """How much of their quotas callers have used, in a file that all workers share.

    For each caller and policy it holds one number, the time at which the quota is full again (the
    generic cell rate algorithm). The file does not grow; workers take turns by a lock, for
    microseconds. If the file cannot be opened, each worker counts for itself; if nothing can be
    written, no caller is refused.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._is_logged = False
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            self._log_once(error)
            with tempfile.TemporaryFile() as file:
                self._file = os.dup(file.fileno())

    def close(self) -> None:
        """Close the file; nobody is refused afterwards."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def take(self, charges: Sequence[tuple[Policy, str]], cost: int, now: float) -> list[Usage]:
        """Take the same amount from several quotas, from all of them or from none.

        Parameters
        ----------
        charges : sequence of (Policy, str)
            Each policy with the caller whose quota it is.
        cost : int
            An amount larger than a quota counts as the whole quota.
        now : float
            Epoch seconds.
        """
        with self._locked():
            slots = [self._find(f"{policy.name}\0{owner}", now) for policy, owner in charges]
            found = []
            for (policy, _), (_, _, whole_at) in zip(charges, slots, strict=True):
                each = policy.window / policy.quota
                begin = min(max(now, whole_at), now + policy.window)
                ahead = begin + min(cost, policy.quota) * each - now
                found.append((each, begin, ahead, max(0.0, ahead - policy.window)))
            refused = any(wait > 1e-6 for *_, wait in found)
            uses = []
            for (policy, _), (place, name, _), (each, begin, ahead, wait) in zip(
                charges, slots, found, strict=True
            ):
                used = begin - now if refused else ahead
                if not refused:
                    self._write(place, _SLOT.pack(name, now + ahead))
                left = math.floor((policy.window - used) / each + 1e-6)
                uses.append(Usage(policy, left, math.ceil(used), wait if wait > 1e-6 else 0.0))
        return uses

    def _find(self, owner: str, now: float) -> tuple[int, int, float]:
        """Return the place of a caller's slot, its name, and the time it holds."""
        digest = hashlib.blake2b(owner.encode(), digest_size=16).digest()
        begin = int.from_bytes(digest[:4]) % _SETS * _SET_BYTES
        name = int.from_bytes(digest[8:]) | 1  # 0: an empty slot
        least, at = math.inf, 0
        held = self._read(begin)
        for way in range(len(held) // _SLOT.size):
            other, whole_at = _SLOT.unpack_from(held, way * _SLOT.size)
            if other == name:
                return begin + way * _SLOT.size, name, whole_at
            if whole_at < least:
                least, at = whole_at, way
        ways = len(held) // _SLOT.size
        return begin + (at if ways == _WAYS else ways) * _SLOT.size, name, now

    def _read(self, place: int) -> bytes:
        try:
            return os.pread(self._file, _SET_BYTES, place)
        except OSError as error:
            self._log_once(error)
            return b""

    def _write(self, place: int, slot: bytes) -> None:
        try:
            os.pwrite(self._file, slot, place)
        except OSError as error:
            self._log_once(error)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        with self._lock:
            locked = True
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX)
            except OSError:
                locked = False
            try:
                yield
            finally:
                if locked:
                    fcntl.flock(self._file, fcntl.LOCK_UN)

    def _log_once(self, error: OSError) -> None:
        if not self._is_logged:
            _log.error("requests are not counted as they should be", extra={"reason": str(error)})
            self._is_logged = True


class RateLimits:
    """The limits of a workspace.

    Parameters
    ----------
    limits : LimitSettings
    quotas : QuotaFile
    addresses : ClientAddresses
    """

    def __init__(
        self, limits: LimitSettings, quotas: QuotaFile, addresses: ClientAddresses
    ) -> None:
        self._quotas = quotas
        self._addresses = addresses
        named: list[tuple[bool, Unit, str, int, str]] = [
            (False, "requests", "requests", limits.requests_per_minute, "key"),
            (False, "events", "events", limits.events_per_hour, "key"),
            (True, "requests", "page-requests", limits.page_requests_per_minute, "key"),
            (True, "requests", "address-requests", limits.address_requests_per_minute, "address"),
            (True, "events", "page-events", limits.page_events_per_hour, "key"),
            (True, "events", "address-events", limits.address_events_per_hour, "address"),
        ]
        self._policies: dict[tuple[bool, Unit], list[Policy]] = {}
        for page, unit, name, quota, owner in named:
            window = MINUTE if unit == "requests" else HOUR
            if quota:
                policy = Policy(name, quota, window, unit, owner)
                self._policies.setdefault((page, unit), []).append(policy)

    def count(self, unit: Unit, cost: int = 1) -> None:
        """Count what the present caller sends.

        Raises
        ------
        Refusal
            When a quota is used up.
        """
        caller: Key | None = g.caller
        if caller is None:
            return
        page = is_browser()
        of = {"key": caller.key_id}
        if page:
            of["address"] = self._addresses.of_page() or ""
        policies = self._policies.get((page, unit), ())
        uses = self._take([(policy, of[policy.owner]) for policy in policies], cost)
        # Do not reveal how busy a whole shop is; an address may see what it has left itself.
        visible = [use for use in uses if not page or use.policy.owner == "address"]
        g.uses = [*g.get("uses", ()), *visible]
        _refuse(uses, cost)

    def count_visitor(self, address: str) -> None:
        """Count a request for a page that needs no key, for the address it comes from.

        Parameters
        ----------
        address : str
            Keyed hash of it.

        Raises
        ------
        Refusal
            When its quota is used up.
        """
        policies = self._policies.get((True, "requests"), ())
        charges = [(policy, address) for policy in policies if policy.owner == "address"]
        uses = self._take(charges, 1)
        g.uses = [*g.get("uses", ()), *uses]
        _refuse(uses, 1)

    def count_sign_in(self, owner: str) -> None:
        """Count an attempt to sign in with a key.

        Raises
        ------
        Refusal
            When there were too many attempts.
        """
        (use,) = self._take([(_SIGN_IN, owner)], 1)
        if use.wait_seconds:
            wait = math.ceil(use.wait_seconds)
            raise Refusal("too-many-requests", "Too many tries. Wait a moment.", retry_seconds=wait)

    def _take(self, charges: Sequence[tuple[Policy, str]], cost: int) -> list[Usage]:
        return self._quotas.take(charges, cost, time.time()) if charges else []


def _refuse(uses: Sequence[Usage], cost: int) -> None:
    """Refuse a caller who has used up a quota."""
    worst = max(uses, key=lambda use: use.wait_seconds, default=None)
    if worst is None or not worst.wait_seconds:
        return
    limit = worst.policy
    per = "minute" if limit.window == MINUTE else "hour"
    raise Refusal(
        "too-many-requests",
        f"`{limit.name}` is {limit.quota:,} {limit.unit} a {per} for each {limit.owner}; "
        f"{worst.left:,} are left now, and this asks for {cost:,}.",
        retry_seconds=math.ceil(worst.wait_seconds),
    )


def add_rate_limit_headers(response: Response) -> None:
    """Add what the caller has left (draft-ietf-httpapi-ratelimit-headers-11)."""
    uses: Sequence[Usage] = g.get("uses", ())
    if uses:
        policies = ", ".join(_policy(use.policy) for use in uses)
        left = ", ".join(f'"{use.policy.name}";r={use.left};t={use.reset_seconds}' for use in uses)
        response.headers.extend([("RateLimit-Policy", policies), ("RateLimit", left)])


def _policy(policy: Policy) -> str:
    unit = f';qu="{policy.unit}"' if policy.unit != "requests" else ""
    return f'"{policy.name}";q={policy.quota}{unit};w={policy.window}'
