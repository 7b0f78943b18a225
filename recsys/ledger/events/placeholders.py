"""Says what is wrong with ids that are placeholders, such as ``(not set)``.

In: an id as a channel reports it. Out: a sentence for the sender, or None. Called by
``event_types`` and by the service.
"""

from recsys.values import is_no_id


def number_fault(transaction_id: str) -> str | None:
    """Return what is wrong with an order number, or None.

    A number such as ``(not set)`` would merge unrelated orders.

    Parameters
    ----------
    transaction_id : str
        As a channel reports it.

    Returns
    -------
    str or None
        A sentence for the sender.
    """
    if not is_no_id(transaction_id, "order"):
        return None
    return f"`{transaction_id}` is a placeholder, not an order number. Send the order's own number."


def item_fault(item_id: str) -> str | None:
    """Return what is wrong with a product id, or None.

    Parameters
    ----------
    item_id : str
        As a channel reports it.

    Returns
    -------
    str or None
        A sentence for the sender.
    """
    if not is_no_id(item_id):
        return None
    return f"`{item_id}` is a placeholder, not a product id. Send the product's own id."


def location_fault(location_id: str) -> str | None:
    """Return what is wrong with a location id, or None.

    Parameters
    ----------
    location_id : str
        As a channel reports it.

    Returns
    -------
    str or None
        A sentence for the sender.
    """
    if not is_no_id(location_id):
        return None
    return f"`{location_id}` is a placeholder, not a location id. Send the location's own id."
