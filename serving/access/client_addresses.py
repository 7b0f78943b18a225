"""The address of a page's visitor, for limits per address.

A request comes in; a keyed hash of its address goes out, so that no address is stored. Used by the
rate limits and by the routes that make offers.
"""

import ipaddress
from collections.abc import Iterable

from flask import request

from recsys.identity import KeyedHash
from serving.access.admission import is_browser

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class ClientAddresses:
    """Finds the addresses of visitors.

    Parameters
    ----------
    keyed_hash : KeyedHash
    proxies : iterable of str
        Networks of the proxies whose ``X-Forwarded-For`` is trusted.
    """

    def __init__(self, keyed_hash: KeyedHash, proxies: Iterable[str]) -> None:
        self._keyed_hash = keyed_hash
        self._proxies = [ipaddress.ip_network(network) for network in proxies]

    def of_page(self) -> str | None:
        """Return a keyed hash of the address of a page's visitor; None if no page asks."""
        return self.of_request() if is_browser() else None

    def of_request(self) -> str:
        """Return a keyed hash of the address that the present request comes from."""
        forwarded_for = request.headers.get("X-Forwarded-For", "").split(",")
        visitor = self.visitor(request.remote_addr or "", forwarded_for)
        return self._keyed_hash.identifier("address", visitor) or ""

    def visitor(self, peer: str, forwarded_for: Iterable[str]) -> str:
        """Return the address that a request comes from.

        Parameters
        ----------
        peer : str
            Address at the other end of the connection.
        forwarded_for : iterable of str
            ``X-Forwarded-For``: each proxy appends the address that it was asked from.

        Returns
        -------
        str
            The last address that is not one of our proxies; those before it may be made up. For
            an IPv6 address its /64 network, because one visitor owns all of it.
        """
        address = _address(peer)
        for name in reversed([name.strip() for name in forwarded_for]):
            before = _address(name)
            if address is None or before is None or not self._is_proxy(address):
                break
            address = before
        if address is None:
            return peer
        if address.version == 4:
            return str(address)
        return str(ipaddress.ip_network((address, 64), strict=False))

    def _is_proxy(self, address: Address) -> bool:
        return any(address in network for network in self._proxies)


def _address(text: str) -> Address | None:
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found
