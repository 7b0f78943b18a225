"""Which place a question is answered from: its location, else its channel, else everything.

Called by the models that know several, ``popular`` and ``trending``.
"""

from recsys.matrices.ids import IntArray


def group_of(keys: IntArray, location: int, channel: int) -> int:
    """Find the place that a question is answered from.

    Parameters
    ----------
    keys : ndarray of shape (n_groups,), int64
        Sorted. A location's ``ids.location_key``, or the negative of 1 + a channel's number.
    location, channel : int
        See ``Context``.

    Returns
    -------
    int
        Position in ``keys``: the location's, or else the channel's; -1 for neither.
    """
    for key in (location, -1 - channel):
        at = int(keys.searchsorted(key))
        if key and at < len(keys) and keys[at] == key:
            return at
    return -1
