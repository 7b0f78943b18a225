"""``/customers``: one view of a customer, for whoever serves or supports them.

The page itself is empty: its script (``static/customers.js``) calls ``/v1`` with the session cookie
and draws the answers. It can do nothing that a key of the same scope cannot do.
"""

from flask import Blueprint, Response, current_app

from serving.pages import sign_in
from serving.pages.localization import show
from serving.schemas import documented
from serving.state import State

blueprint = Blueprint("customers_page", __name__)


@blueprint.get("/customers")
@documented("One view of a customer", tag="pages", answers={200: "text/html"})
def page() -> Response:
    """Look a customer up and correct what is wrong; first ask for a key, where keys are needed.

    Who looked is listed for keys that have the scope `privacy` besides.
    """
    visitor = sign_in.visitor_of("customers")
    if visitor is None:
        return sign_in.ask_for_key("customers")
    state: State = current_app.extensions["omnibasket"]
    guards = visitor.grant is None or "privacy" in visitor.grant.scopes
    return show(
        "customers.html",
        scripts=("customers", *sign_in.SHARED_SCRIPTS),
        workspace=state.config.workspace.name,
        who=visitor.name,
        csrf=visitor.csrf_token,
        guards=guards,
        types=sorted(state.identifier_types),
    )
