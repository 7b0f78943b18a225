"""The codes of offers, and signed public links to their QR codes for e-mails and other sites.

Anybody with a link can see that one code without a key; only the workspace's key can make a link.
Used wherever an offer becomes a document.
"""

import base64
import hashlib
import io
from typing import Any, Final, Literal

import segno
from itsdangerous import BadSignature, Signer

from recsys.bundles import Offer
from recsys.ledger.offers import Codes
from recsys.recommender import Catalogue
from recsys.recommender.offers import documents as words

#: Route of the picture behind a link.
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
        """Return an offer as a document, with its links."""
        token = self._signer.sign(offer.offer_id).decode()
        kinds: tuple[Kind, ...] = ("svg", "png")
        links = {kind: PATH.format(token=token, kind=kind) for kind in kinds}
        return {**words.offer(offer, self.codes.of(offer), catalogue), "qr_public": links}

    def offer_id(self, token: str) -> str | None:
        """Return the id of the offer that a link is for; None if the signature is wrong."""
        try:
            return self._signer.unsign(token).decode()
        except (BadSignature, UnicodeError):
            return None


def inlined(text: str) -> str:
    """Draw a QR code, black on white, as a ``data:`` address."""
    drawing = io.BytesIO()
    segno.make(text, error="m", micro=False).save(drawing, kind="svg", border=2, light="#fff")
    return f"data:image/svg+xml;base64,{base64.b64encode(drawing.getvalue()).decode()}"


def draw(code: str, kind: Kind) -> bytes:
    """Draw a code as a QR code, black on white, to be shown on a phone or printed."""
    drawn, made = io.BytesIO(), segno.make(code, micro=False)
    if kind == "png":
        made.save(drawn, kind="png", scale=_SCALE, light="white")
    else:
        title = f"Offer {code}"
        made.save(drawn, kind="svg", scale=_SCALE, light="white", title=title, xmldecl=False)
    return drawn.getvalue()
