"""Where a page's visitor comes from, for limits that hold for an address.

A request comes in, out comes a keyed hash of its address: no address is kept. Called by the routes
that promise offers.
"""

import ipaddress

from flask import request

from recsys.data.keyed_hash import KeyedHash
from serving.access import is_browser


def page_address(keyed_hash: KeyedHash) -> str | None:
    """Return where a page's visitor comes from, as a keyed hash; None where no page asks.

    A peer on a private address is a proxy if it says for whom it asks, and then names them last.
    """
    if not is_browser():
        return None
    peer = request.remote_addr or ""
    told = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    network = _network(peer)
    if network is not None and network.is_private and told:
        network = _network(told) or network
    return keyed_hash.identifier("address", str(network or peer))


def _network(address: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """One IPv4 address, or the network that an IPv6 address is one of very many of."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return None
    return ipaddress.ip_network((found, 32 if found.version == 4 else 64), strict=False)
