"""What one would otherwise use, tuned on the same data with the same budget as ours."""

from typing import Final

from benchmarks.peers import baskets, frequency, items
from benchmarks.peers.base import Peer

PEERS: Final[tuple[Peer, ...]] = (*frequency.PEERS, *baskets.PEERS, *items.PEERS)
