"""The tools of the assistant: what each takes, and what it asks the service.

What the assistant chose comes in; structs of ``answers`` come out, or ``ToolError``. No argument
names a customer: that is the ``Asker``. Listed and called by ``server``.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, NamedTuple
from urllib.parse import quote

import msgspec
from msgspec import Meta, field

from recsys.languages import ENGLISH, TAGS, language_of
from training.mcp.answers import (
    Answer,
    BesideProduct,
    FoundProducts,
    ProductInFull,
    Recommended,
    StandingOffers,
    priced,
)
from training.mcp.asker import Asker
from training.mcp.service import Params, Service, ToolError

ItemId = Annotated[
    str, Meta(min_length=1, max_length=200, description="item_id of a product, as tools name it.")
]
Count = Annotated[int, Meta(ge=1, le=20, description="How many products at most.")]
Items = Annotated[list[ItemId], Meta(max_length=50)]
Store = Annotated[
    str | None,
    Meta(description="Another store than the customer's own, by its location_id."),
]

_NOBODY: Final = (
    "Nobody is signed in, so there are no personal offers. Offers are shown to a customer who is "
    "signed in to the shop."
)
_UNKNOWN: Final = "The customer who is signed in is not known yet, so there are no offers."


class Arguments(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of what tools take: an unknown argument is an error."""


class Search(Arguments, frozen=True):
    """What to find."""

    query: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=200,
            description="Words of the title, brand or category, in the catalogue's language; each "
            "must begin a word there. Or the number of a bar code, or an item_id. Use few words: "
            "`oat milk`, not a sentence.",
        ),
    ]
    count: Count = 5
    in_stock: Annotated[
        bool,
        Meta(description="Only what can be sold: in the store, or anywhere where none is known."),
    ] = False
    max_price_minor: Annotated[
        Annotated[int, Meta(ge=0)] | None,
        Meta(description="Highest price in minor units, such as cents: 500 for 5.00."),
    ] = None
    location_id: Store = None


class Look(Arguments, frozen=True):
    """Which product to look at."""

    item_id: ItemId
    stores: Annotated[
        int, Meta(ge=0, le=20, description="How many other stores with stock to name.")
    ] = 3
    location_id: Store = None


class Beside(Arguments, frozen=True):
    """What to find beside a product."""

    item_id: ItemId
    count: Count = 5


class Recommend(Arguments, frozen=True):
    """What to recommend for."""

    count: Count = 5
    about: Annotated[Items, Meta(description="Products that the chat is about, if any.")] = field(
        default_factory=list
    )
    cart: Annotated[Items, Meta(description="Products in the customer's cart, if any.")] = field(
        default_factory=list
    )
    exclude: Annotated[
        Items, Meta(description="Products not to recommend, such as those named before.")
    ] = field(default_factory=list)


class Nothing(Arguments, frozen=True):
    """No arguments."""


@dataclass(frozen=True)
class Tools:
    """The tools over one service, for one customer."""

    service: Service
    asker: Asker

    async def find_products(self, given: Search) -> Answer:
        """Find products by words or a bar code; ask with fewer words where nothing is found."""
        cheap = {"field": "price", "op": "le", "value": given.max_price_minor}
        wanted = None if given.max_price_minor is None else msgspec.json.encode(cheap).decode()
        params: Params = {
            "q": given.query,
            "count": given.count,
            "in_stock": given.in_stock,
            "placement": self.asker.placement,
            "location_id": given.location_id or self.asker.location_id,
            "filter": wanted,
        }
        return await self._ask("/v1/items", params, FoundProducts)

    async def product(self, given: Look) -> Answer:
        """Look at one product: price, stock in the customer's store, other stores, delivery."""
        params: Params = {
            "stores": given.stores,
            "location_id": given.location_id or self.asker.location_id,
        }
        return await self._ask(_path(given.item_id), params, ProductInFull)

    async def goes_with(self, given: Beside) -> Answer:
        """Say what customers often buy together with a product."""
        path = _path(given.item_id) + "/bought-together"
        return await self._ask(path, self._page(given), BesideProduct)

    async def similar_products(self, given: Beside) -> Answer:
        """Say which products are like one, for example instead of one that is sold out."""
        path = _path(given.item_id) + "/similar"
        return await self._ask(path, self._page(given), BesideProduct)

    async def recommendations(self, given: Recommend) -> Answer:
        """Recommend products to the customer of this chat, each with the reason why.

        What it returns counts as shown to the customer, on every channel: ask for as many as you
        will name, and not again for the same.
        """
        params: Params = {
            **self.asker.who,
            "placement": self.asker.placement,
            "count": given.count,
            "location_id": self.asker.location_id,
            "lang": self.asker.lang,
            "item_ids": tuple(given.about),
            "cart": tuple(given.cart),
            "exclude": tuple(given.exclude),
        }
        # GET counts as shown, as POST does, but promises no offer.
        return await self._ask("/v1/recommendations", params, Recommended)

    async def offers(self, given: Nothing) -> Answer:  # noqa: ARG002 - as the other tools
        """List the offers that stand for the customer who is signed in, each with its code."""
        asker = self.asker
        if not asker.signed_in:
            return StandingOffers(signed_in=False, offers=[], note=_NOBODY)
        path = "/v1/offers"
        if asker.customer_id is not None:
            path = f"/v1/customers/{quote(asker.customer_id, safe='')}/offers"
        try:
            found = await self.service.get(path, asker.named)
        except ToolError as problem:
            if problem.kind != "customer-unknown":
                raise
            return StandingOffers(signed_in=True, offers=[], note=_UNKNOWN)
        return self._read({**found, "signed_in": True}, StandingOffers)

    async def check(self) -> None:
        """Ask what the service would recommend to nobody, without showing it.

        Raises
        ------
        ToolError
            When the assistant could not recommend anything: no service, a wrong placement, a key
            that does not allow it.
        """
        asker = self.asker
        params: Params = {
            "placement": asker.placement,
            "location_id": asker.location_id,
            "lang": asker.lang,
            "count": 1,
            "dry_run": True,
        }
        await self.service.get("/v1/recommendations", params)

    def _page(self, given: Beside) -> Params:
        return {
            "count": given.count,
            "placement": self.asker.placement,
            "location_id": self.asker.location_id,
            "lang": self.asker.lang,
        }

    async def _ask(self, path: str, params: Params, kind: type[Answer]) -> Answer:
        return self._read(await self.service.get(path, params), kind)

    def _read(self, document: dict[str, Any], kind: type[Answer]) -> Answer:
        """Put an answer into words where it has codes, and leave out what no assistant needs."""
        lang = self.asker.lang or document.get("lang", ENGLISH.tag)
        found = priced(document, language_of(lang if lang in TAGS else ENGLISH.tag))
        if isinstance(found.get("heading"), Mapping):
            found["heading"] = found["heading"].get("text")
        try:
            return msgspec.convert(found, kind)
        except msgspec.ValidationError as error:
            raise ToolError(
                f"The service's answer cannot be read: {error}. Whoever runs this assistant has to "
                "bring it and the service to the same version."
            ) from None


class Tool(NamedTuple):
    """One tool, as ``server`` lists it."""

    title: str
    takes: type[Arguments]
    gives: type[Answer]
    call: Callable[[Tools, Any], Awaitable[Answer]]
    reads_only: bool = True
    """Whether it leaves no trace: a recommendation counts as shown."""


TOOLS: Final = {
    "find_products": Tool("Find products", Search, FoundProducts, Tools.find_products),
    "product": Tool("A product and its stock", Look, ProductInFull, Tools.product),
    "goes_with": Tool("What goes with a product", Beside, BesideProduct, Tools.goes_with),
    "similar_products": Tool(
        "What is like a product", Beside, BesideProduct, Tools.similar_products
    ),
    "recommendations": Tool(
        "Recommendations", Recommend, Recommended, Tools.recommendations, reads_only=False
    ),
    "offers": Tool("The customer's offers", Nothing, StandingOffers, Tools.offers),
}


def _path(item_id: str) -> str:
    """Return where a product is; refuses an id that a proxy might take for another address.

    An assistant may be talked into ``../customers/…``, and the key opens more than products.
    """
    if {".", ".."} & set(item_id.replace("\\", "/").split("/")):
        raise ToolError(f"There is no product `{item_id}`. find_products finds the item_id.")
    return f"/v1/items/{quote(item_id, safe='')}"
