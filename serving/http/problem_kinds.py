"""All kinds of problems there are: status, title, and what to do about each.

The page ``/problems`` explains them; ``problems`` answers with them.
"""

from typing import Final

import msgspec


class Kind(msgspec.Struct, frozen=True):
    """A kind of problem: its status, its title, and what to do about it."""

    status: int
    title: str
    advice: str


PROBLEM_KINDS: Final = {
    "malformed-body": Kind(400, "The body is not JSON", "Send one JSON document in UTF-8."),
    "bad-request": Kind(400, "The request cannot be read", "Compare it with /docs."),
    "key-missing": Kind(401, "A key is needed", "Send the header Authorization: Bearer KEY."),
    "key-unknown": Kind(
        401, "The key is not valid", "It is not one of ours, or it was revoked. Ask for a new one."
    ),
    "key-expired": Kind(401, "The key has expired", "Ask for a new one."),
    "session-ended": Kind(401, "The session is over", "Sign in again at /dashboard."),
    "scope-missing": Kind(
        403, "The key is not for this", "Ask for a key with the scope that `detail` names."
    ),
    "channel-forbidden": Kind(
        403, "The key is for other channels", "`detail` names the channels that it is for."
    ),
    "location-forbidden": Kind(
        403, "The key is for other locations", "`detail` names the locations that it is for."
    ),
    "offer-of-another": Kind(
        403, "The offer is somebody else's", "An offer holds for the customer that it was made to."
    ),
    "offer-code-needed": Kind(
        403,
        "The offer's code is needed",
        "An id counts only where `customer_id`, `identifier` or `session_id` says whose it is.",
    ),
    "origin-forbidden": Kind(
        403, "The page may not ask", "Make a key with --origin for the page's web origin."
    ),
    "csrf-missing": Kind(
        403,
        "The page's token is missing",
        "A page that changes something sends X-CSRF-Token with what /dashboard gave it. Programs "
        "send the header Authorization instead.",
    ),
    "cross-site": Kind(
        403,
        "Another site's page asks",
        "Changes are taken from this service's own pages, and from programs.",
    ),
    "browser-key": Kind(
        403,
        "A page's key names nobody",
        "From a page, ask with a `session_id` or for nobody; name customers from your server.",
    ),
    "not-a-kiosk": Kind(
        403,
        "Nobody scans cards at this screen",
        "Pair it as a kiosk: choose what customers scan there.",
    ),
    "event-forbidden": Kind(
        403,
        "The key is not for such events",
        "Anybody can use a page's key, or a screen's. Have your server tell of refunds.",
    ),
    "item-unknown": Kind(
        404, "There is no such product", "The model's catalogue does not hold this `item_id`."
    ),
    "bundle-unknown": Kind(
        404, "There is no such bundle", "`GET /v1/bundles` lists those that there are."
    ),
    "offer-unknown": Kind(
        404, "There is no such offer", "Give the offer's id, or the code as it was shown."
    ),
    "customer-unknown": Kind(
        404,
        "Nobody we know",
        "Give any id that the service ever gave out. In a batch, lines that name nobody get a "
        'stranger\'s answer with `"unknown": "answer"`.',
    ),
    "decision-unknown": Kind(
        404,
        "No such decision is kept",
        "Ask with the `recommendation_id` of an answer that was shown, a second after it; "
        "decisions are kept as long as [ledger] exposure_days says.",
    ),
    "location-unknown": Kind(
        404,
        "There is no such location",
        "Give the `location_id` of an export, an order or `PUT /v1/locations`.",
    ),
    "screen-unknown": Kind(404, "There is no such screen", "`GET /v1/screens` lists them."),
    "code-unknown": Kind(
        404,
        "No screen shows this code",
        "Type the code that the screen shows now; each holds for ten minutes.",
    ),
    "link-unknown": Kind(
        404,
        "There is no such link",
        "`GET /v1/customers/{customer_id}/links` lists those of a customer.",
    ),
    "history-missing": Kind(
        404,
        "The history is not here",
        "Links are read from the history of the last ingest, in the workspace's state folder. "
        "Where the service runs without it, use `omnibasket identity` beside the history.",
    ),
    "not-found": Kind(404, "There is nothing here", "Every address is listed under /docs."),
    "method-not-allowed": Kind(
        405, "The address does not take this method", "The Allow header names those it takes."
    ),
    "not-acceptable": Kind(
        406, "The answer is not made in a form you accept", "Accept application/json or text/csv."
    ),
    "headers-too-large": Kind(
        431,
        "The request's headers are too large",
        "Send less in the address and the headers; lists belong into the body of a POST.",
    ),
    "too-slow": Kind(408, "The request came too slowly", "Send it again, all at once."),
    "bundle-inactive": Kind(
        409,
        "A product of the bundle is not sold",
        "Wait until it is active again, or choose another bundle.",
    ),
    "pairing-waits": Kind(
        409, "Nobody typed the code yet", "Ask again in some seconds, for ten minutes."
    ),
    "keys-needed": Kind(
        409,
        "There are no keys yet",
        "Without keys everybody on this machine may open a screen, and nothing is paired. Create a "
        "key first: `omnibasket keys create`.",
    ),
    "link-fixed": Kind(
        409,
        "The settings undo the link",
        "Remove it from [identity] undone in omnibasket.toml.",
    ),
    "status-impossible": Kind(
        409, "The status cannot follow", "`detail` names those that may follow the present one."
    ),
    "not-offered": Kind(
        409, "The bundle is not offered", "It must be approved, and its dates must be now."
    ),
    "budget-spent": Kind(
        409, "The budget is spent", "Offers that expire free their part of it; or raise it."
    ),
    "customer-limit": Kind(
        409, "The customer has had their share", "`per_customer` says how many offers one gets."
    ),
    "offer-redeemed": Kind(
        409, "The offer was redeemed before", "An offer holds once, whoever asks first."
    ),
    "redemption-of-another": Kind(
        403, "Another till redeemed it", "It is undone where it was redeemed, with its `till_id`."
    ),
    "redemption-final": Kind(
        409, "It cannot be undone any more", "A return of the goods may give the offer back."
    ),
    "offer-elsewhere": Kind(
        409, "The offer does not hold here", "`detail` names the channels or locations it is for."
    ),
    "offer-overlaps": Kind(
        409,
        "Its pieces carry another offer",
        "One piece carries one offer. Where the order holds more, send `items` with quantities.",
    ),
    "offer-not-cheaper": Kind(
        409, "The order is cheaper without the offer", "Sell it at the order's own prices."
    ),
    "offer-below-floor": Kind(
        409, "Its pieces would cost too little", "`[bundles] margin_floor` must be left after cost."
    ),
    "order-limit": Kind(
        409, "The order uses as many offers as it may", "`[offers] per_order` says how many."
    ),
    "offer-expired": Kind(410, "The offer is over", "It cannot be redeemed any more."),
    "offer-withdrawn": Kind(410, "The offer was withdrawn", "It cannot be redeemed any more."),
    "bundle-stale": Kind(
        412,
        "The bundle was changed meanwhile",
        "Read it again, look at what changed, and send If-Match with its new ETag.",
    ),
    "body-too-large": Kind(413, "The body is too large", "Send fewer events or items at once."),
    "not-json": Kind(
        415, "The body is not sent as JSON", "Send the header Content-Type: application/json."
    ),
    "misdirected": Kind(
        421,
        "The request was meant for another host",
        "Without keys the service answers on this machine only, under localhost or 127.0.0.1.",
    ),
    "invalid-request": Kind(
        422, "The request is not valid", "`errors` names each field and what is wrong with it."
    ),
    "price-missing": Kind(
        422, "The bundle has no price", "Send a `price`: none is suggested that pays for itself."
    ),
    "price-below-floor": Kind(
        422, "The price is under the floor", "`pricing.floor_price` keeps the margin floor."
    ),
    "price-not-lower": Kind(
        422, "The price is no discount", "It must be lower than the products cost one by one."
    ),
    "dates-reversed": Kind(
        422, "The dates are the wrong way round", "`ends_at` must be later than `starts_at`."
    ),
    "channel-without-offers": Kind(
        422,
        "The channel shows no offers",
        "Choose channels for which a placement shows offers, or set `offers` of one.",
    ),
    "budget-empty": Kind(422, "The budget is empty", "Give more than 0, or null for no limit."),
    "offer-incomplete": Kind(
        422, "A product of the offer is missing", "`items` must hold all products of the offer."
    ),
    "no-consent": Kind(
        409,
        "The customer does not consent to this message",
        "Send nothing to them. GET /v1/customers/{id}/consents says what they said; a service "
        "message needs a placement with `service = true`.",
    ),
    "message-held": Kind(
        409,
        "The message does not go out now",
        "Send nothing now. `code` says why; ask again after `send_after`, if it is there.",
    ),
    "handover-unknown": Kind(
        404,
        "The code hands nothing over",
        "It was used, has expired, or was never made. Make a new one.",
    ),
    "erased": Kind(
        410,
        "The customer was erased",
        "Send nothing to them, and forget the id. Only `omnibasket erase --lift` lets somebody who "
        "came back be stored again.",
    ),
    "event-id-taken": Kind(
        409,
        "Another event has this id",
        "An event_id names one event. Send a changed event under a new id.",
    ),
    "precondition-missing": Kind(
        428,
        "Say which revision you change",
        "Read the bundle, and send its ETag as the header If-Match.",
    ),
    "too-many-requests": Kind(
        429,
        "That is too much at once",
        "`detail` names the limit; wait as long as the header Retry-After says.",
    ),
    "internal-error": Kind(
        500, "Something went wrong here", "Tell the operator the request id in `instance`."
    ),
    "no-model": Kind(
        503, "No model is loaded yet", "Run `omnibasket train`; the service takes it up by itself."
    ),
    "ledger-unavailable": Kind(
        503,
        "The ledger does not answer",
        "Send the same request again, with the same ids, as soon as Retry-After says: what was "
        "written after all counts once.",
    ),
    "overloaded": Kind(
        503, "There is more to do than can be done", "Wait as long as Retry-After says."
    ),
}
