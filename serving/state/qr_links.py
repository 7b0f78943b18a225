"""The codes of offers, and signed public links to their QR codes for mails and other sites' pages.

Whoever has a link sees that one code, without a key; nobody can make one without the workspace's.
Used wherever offers are put into words.
"""

import hashlib
import io
from typing import Any, Final, Literal

import segno
from itsdangerous import BadSignature, Signer

from recsys.bundles import Offer
from recsys.ledger.offers import Codes
from recsys.recommender import Catalogue
from recsys.recommender.offers import documents as words

#: Where the code behind a link is drawn.
PATH: Final = "/qr/{token}/offer.{kind}"
_SCALE: Final = 8

Kind = Literal["svg", "png"]


class OfferLinks:
    """Makes and reads links.

    Parameters
    ----------
    secret : str
        The workspace's key.

    Attributes
    ----------
    codes : Codes
    """

    def __init__(self, secret: str) -> None:
        self.codes = Codes(secret)
        self._signer = Signer(
            secret, salt="omnibasket.qr", key_derivation="hmac", digest_method=hashlib.sha256
        )

    def document(self, offer: Offer, catalogue: Catalogue | None) -> dict[str, Any]:
        """Put an offer into words, with its links."""
        token = self._signer.sign(offer.offer_id).decode()
        kinds: tuple[Kind, ...] = ("svg", "png")
        links = {kind: PATH.format(token=token, kind=kind) for kind in kinds}
        return {**words.offer(offer, self.codes.of(offer), catalogue), "qr_public": links}

    def offer_id(self, token: str) -> str | None:
        """Return the offer that a link is for; None where it was not made here."""
        try:
            return self._signer.unsign(token).decode()
        except (BadSignature, UnicodeError):
            return None


def draw(code: str, kind: Kind) -> bytes:
    """Draw a code as a QR code, black on white, to be shown on a phone or printed."""
    drawn, made = io.BytesIO(), segno.make(code, micro=False)
    if kind == "png":
        made.save(drawn, kind="png", scale=_SCALE, light="white")
    else:
        title = f"Offer {code}"
        made.save(drawn, kind="svg", scale=_SCALE, light="white", title=title, xmldecl=False)
    return drawn.getvalue()
