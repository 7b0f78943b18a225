"""Names of time zones, as locations and customers have them.

In: a text. Out: whether it names a zone of the IANA database. Called by ``ingest``, by the
catalogue and by the service.
"""

from functools import cache
from zoneinfo import available_timezones


@cache
def time_zones() -> frozenset[str]:
    """Return the names of all zones that this machine knows, such as ``Europe/Paris``."""
    return frozenset(available_timezones())


def is_time_zone(text: str) -> bool:
    """Return whether a text is the name of a zone.

    Parameters
    ----------
    text : str
        Exactly as the database writes it.
    """
    return text in time_zones()
