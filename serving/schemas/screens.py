"""Types of requests and answers about screens in stores.

``api.screens`` and ``pages.screen`` decode and make them; tests hold the answers to them.
"""

from typing import Annotated

from msgspec import Meta, field

from recsys.ledger.events import Id, Money
from serving.http import FieldError
from serving.schemas.base import Body, Label, Lang


class PlaylistQuery(Body, frozen=True):
    """How the wall is to be filled."""

    lang: Lang | None = None
    count: Annotated[int, Meta(ge=1, le=60, description="Products.")] = 18


class PlaylistItem(Body, frozen=True):
    """A product to show."""

    item_id: str
    title: str
    price: Money | None
    picture: Annotated[str, Meta(description="Address, or a drawing as a `data:` address.")]
    place: Annotated[
        str | None, Meta(description="Where in the store: the shelf, otherwise the department.")
    ]


class PlaylistBundle(Body, frozen=True):
    """The bundle of the day, which anybody may ask for."""

    bundle_id: str
    items: list[PlaylistItem]
    price: Money
    full_price: Money
    qr: Annotated[
        str | None,
        Meta(description="Drawing of a code that leads to its page; null where there is no page."),
    ]
    until: Annotated[str | None, Meta(description="When it ends; null: not by itself.")]


class Playlist(Body, frozen=True):
    """What a screen shows until it asks again; the same for everybody."""

    recommendation_id: Annotated[
        str, Meta(description="For the events `view_item_list` of what was on the wall.")
    ]
    placement: str
    location_id: str
    location_name: str | None
    made_at: str
    refresh_seconds: Annotated[int, Meta(description="Ask again after so long.")]
    lang: str
    heading: str | None
    items: list[PlaylistItem]
    bundle: PlaylistBundle | None
    card_type: Annotated[
        str | None, Meta(description="Of a kiosk: what customers scan; null: nobody scans.")
    ]
    warnings: Annotated[list[FieldError], Meta(description="As of `Recommendations`.")] = field(
        default_factory=list
    )


class GuestCard(Body, frozen=True):
    """What a customer scanned at a kiosk."""

    card: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=200,
            pattern=r"^[^\x00-\x1f\x7f]+$",
            description="Of the kiosk's `card_type`, or a code that `POST /v1/handovers` made.",
        ),
    ]
    lang: Lang | None = None


class GuestList(Body, frozen=True):
    """What is for the customer at the kiosk."""

    recommendation_id: str
    placement: str
    known: Annotated[bool, Meta(description="False: the card is not known, or may not be used.")]
    ends_after_seconds: Annotated[int, Meta(description="Then the screen forgets them.")]
    lang: str
    items: list[PlaylistItem]
    warnings: Annotated[list[FieldError], Meta(description="As of `Recommendations`.")] = field(
        default_factory=list
    )


class ScreenApproval(Body, frozen=True):
    """A screen that somebody stands before."""

    code: Annotated[
        str,
        Meta(min_length=6, max_length=20, description="As the screen shows it, in any spelling."),
    ]
    name: Annotated[Label, Meta(description="For people, such as where it hangs.")]
    card_type: Annotated[
        Id | None,
        Meta(
            description="Makes it a kiosk: the type of identifier on the card that customers scan."
        ),
    ] = None


class ApprovedScreen(Body, frozen=True):
    """The screen fetches its key within seconds."""

    location_id: str
    name: str
    card_type: str | None


class ScreenState(Body, frozen=True):
    """A paired screen."""

    screen_id: Annotated[str, Meta(description="The id of its key.")]
    location_id: str
    name: str
    card_type: Annotated[str | None, Meta(description="Null: the same for everybody.")]
    paired_at: str
    paired_by: str
    seen_at: Annotated[
        str | None, Meta(description="When it last asked; half a minute late at most. Null: never.")
    ]
    shows: Annotated[list[str], Meta(description="Titles of what it got then.")]


class ScreenList(Body, frozen=True):
    """Screens whose keys are valid."""

    screens: list[ScreenState]


class RevokedScreen(Body, frozen=True):
    """The screen shows a code for pairing again."""

    screen_id: str
    revoked: Annotated[bool, Meta(description="False: it was already.")]


class PairingRequest(Body, frozen=True):
    """Where a new screen hangs."""

    location_id: Id


class Pairing(Body, frozen=True):
    """A code to show until somebody types it."""

    code: str
    secret: str
    expires_at: str


class PairingSecret(Body, frozen=True):
    """What the screen got with its code."""

    secret: Annotated[str, Meta(min_length=1, max_length=100)]


class PairedKey(Body, frozen=True):
    """The screen's key."""

    screen_id: str
    key: str
    name: str
    card_type: str | None
