"""Times as exports write them become a reading of the clock and an offset from UTC.

A column of ISO 8601 texts comes in, in the manners that databases and shops have: a blank for the
``T``, no seconds, ``+02``, ``+0200``, ``Z``, ``UTC``. Called by ``columns`` and ``events``.
"""

from typing import cast

import ibis
import ibis.expr.types as ir

#: What stands behind the clock's digits: ``12:30:00.5 +02:00`` gives ``+02:00``.
_BEHIND = r":\d\d[\d.,:]*\s*([^\d.,:\s].*)$"
_OFFSET = r"^[+-]\d\d(:?\d\d)?$"
_UTC = ("Z", "UTC", "GMT")


def read_time(text: ir.StringValue) -> tuple[ir.TimestampValue, ir.IntegerValue]:
    """Read ISO 8601 times.

    Parameters
    ----------
    text : string column

    Returns
    -------
    local : timestamp column
        The clock as it is written; null where it cannot be read, also for the names of other
        zones than UTC and for a.m. and p.m.
    offset : int64 column
        Seconds ahead of UTC; null where the text does not say it.
    """
    plain = (text.length() == len("2026-01-31 12:30:00")) & (text.substr(16, 1) == ":")
    behind = ibis.ifelse(plain, "", text.re_extract(_BEHIND, 1))  # most are, and patterns cost
    signed = behind.re_search(_OFFSET)
    sign = ibis.ifelse(behind.left(1) == "-", -1, 1)
    hours = behind.substr(1, 2).try_cast("int64")
    minutes = ibis.ifelse(behind.length() > 3, behind.right(2).try_cast("int64"), 0)
    offset = ibis.cases(
        (behind == "", ibis.null("int64")),
        (signed, sign * (hours * 3600 + minutes * 60)),
        (behind.upper().isin(_UTC), 0),
    )
    clock = ibis.cases(
        (behind == "", text),
        (signed | behind.upper().isin(_UTC), text.left(text.length() - behind.length()).strip()),
    )
    return cast(ir.TimestampValue, clock.try_cast("timestamp(6)")), cast(ir.IntegerValue, offset)
