"""Infers the channel from the place of sale if no column states it.

In: an export's evidence and a proposal. Out: ``channel`` set, or mapped from the column of places:
many systems list the web shop as a place, ``Main Website Store``. Called by ``mapping``.
"""

import re

from recsys.config import Column
from training.init.channels import channel_of
from training.init.evidence import Evidence
from training.init.headers import fold
from training.init.proposal import Proposal, shown

_ADDRESS = re.compile(r"(https?://|www\.)\S+|[\w-]+(\.[\w-]+)*\.[a-z]{2,}", re.IGNORECASE)
_WEB = ("website", "webshop", "webstore", "online", "internet", "eshop", "ecommerce", "onlineshop")
_FEW = 50


def tell_channel(evidence: Evidence, proposal: Proposal) -> None:
    """Set the channel of all rows, or map web shops among the places to ``web``."""
    place = proposal.columns.get("location_id")
    is_asked = "channel" in proposal.values
    if isinstance(place, str) and not is_asked:
        counts = evidence.counts(place)
        online = [text for text in sorted(counts) if _is_online(text)] if len(counts) < _FEW else []
        if online and len(online) == len(counts):
            proposal.settings["channel"] = "web"
            proposal.check(f"`{place}` is a web shop, so all rows have the channel `web`")
            return
        if online:
            proposal.columns["channel"] = Column(
                column=place, map=dict.fromkeys(online, "web"), otherwise="pos", default="pos"
            )
            listed = ", ".join(f"`{shown(text)}`" for text in online)
            proposal.check(f"{listed} in `{place}` has the channel `web`, other places are tills")
            return
    proposal.settings["channel"] = "pos" if place is not None else "web"
    if not is_asked:
        proposal.check(f"no column has the channel; all rows have `{proposal.settings['channel']}`")


def _is_online(text: str) -> bool:
    """Return whether a place is a web shop: its name has such a word or is a web address."""
    if _ADDRESS.fullmatch(text) or channel_of(text) == "web":
        return True
    words = {fold(word) for word in re.split(r"[\W_]+", text)}
    return bool(words & {*_WEB, "web"}) or any(word in fold(text) for word in _WEB)
