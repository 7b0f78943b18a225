"""Routes that anybody may call, where keys are needed, too."""

from typing import Final

#: Method and rule → path and status without a key. None of them says anything of the business.
OPEN: Final[dict[tuple[str, str], tuple[str, int]]] = {
    ("GET", "/livez"): ("/livez", 200),
    ("GET", "/readyz"): ("/readyz", 200),
    ("GET", "/openapi.json"): ("/openapi.json", 200),
    ("GET", "/"): ("/", 200),
    ("GET", "/docs"): ("/docs", 200),
    ("GET", "/docs/<name>"): ("/docs/start.js", 200),
    ("GET", "/problems"): ("/problems", 200),
    ("GET", "/static/<name>"): ("/static/omnibasket.js", 200),
    ("GET", "/static/messages/<name>"): ("/static/messages/omnibasket.de.json", 200),
    ("GET", "/dashboard"): ("/dashboard", 200),  # asks for a key
    ("POST", "/dashboard/session"): ("/dashboard/session", 415),
    ("DELETE", "/dashboard/session"): ("/dashboard/session", 200),
    ("GET", "/till"): ("/till", 200),  # asks for a key
    ("GET", "/till/products/<item:text>"): ("/till/products/tea", 401),
    ("GET", "/customers"): ("/customers", 200),  # asks for a key
    ("GET", "/associate"): ("/associate", 200),  # asks for a key
    ("POST", "/associate/codes"): ("/associate/codes", 401),
    # A screen shows what hangs on the wall; without its key, a code to be paired.
    ("GET", "/screens/<location_id>"): ("/screens/S1", 200),
    ("GET", "/screens/worker.js"): ("/screens/worker.js", 200),
    ("POST", "/screens/pairings"): ("/screens/pairings", 415),
    ("POST", "/screens/pairings/key"): ("/screens/pairings/key", 415),
    ("GET", "/qr/<token>/offer.svg"): ("/qr/{token}x/offer.svg", 404),
    ("GET", "/qr/<token>/offer.png"): ("/qr/{token}x/offer.png", 404),
    # The example shop is off unless it is asked for; it shows what any shop shows.
    ("GET", "/shop"): ("/shop", 404),
    ("GET", "/shop/cart"): ("/shop/cart", 404),
    ("GET", "/shop/items/<item_id>"): ("/shop/items/tea", 404),
    ("GET", "/shop/pictures/<item_id>"): ("/shop/pictures/tea", 404),
    # So are the pages of the aisle, which show what lies on the shelf.
    ("GET", "/p/<item:item_id>"): ("/p/tea?location=S1", 404),
}
