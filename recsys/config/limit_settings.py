"""Settings of the limits on one caller, ``[limits]``: requests and events.

Part of ``recsys.config.settings``; docs/configuration.md explains them.
"""

from typing import Annotated

from msgspec import Meta

from recsys.config.settings import Settings

Quota = Annotated[int, Meta(ge=0, le=1_000_000_000)]


class LimitSettings(Settings, frozen=True):
    """Limits on the requests and events of one caller, over all workers of a machine; 0: none."""

    requests_per_minute: Quota = 60_000
    """Requests with one key that is not part of a page."""
    events_per_hour: Quota = 3_600_000
    """Events with one such key."""
    page_requests_per_minute: Quota = 12_000
    """Requests with one key of a page, of all its visitors together."""
    page_events_per_hour: Quota = 600_000
    """Events with one such key."""
    address_requests_per_minute: Quota = 600
    """Requests from one address with keys of pages."""
    address_events_per_hour: Quota = 6_000
    """Events from one address with keys of pages."""
