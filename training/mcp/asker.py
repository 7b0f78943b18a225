"""For whom an assistant asks, fixed when it is started: no tool and no prompt can change it.

Made by the command, used by ``tools``.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Asker:
    """The customer of a chat, and where they are.

    Attributes
    ----------
    placement : str
        That the chat is.
    session_id : str
        Of the chat; a customer who is not signed in is a visit.
    location_id : str or None
        The store that the customer would buy from.
    lang : str or None
        Tag of the language; the placement's by default.
    customer_id : str or None
    identifier : (str, str) or None
        Type and value; at most one of it and ``customer_id`` is there.
    """

    placement: str
    session_id: str
    location_id: str | None = None
    lang: str | None = None
    customer_id: str | None = None
    identifier: tuple[str, str] | None = None

    @property
    def signed_in(self) -> bool:
        """Whether the customer is named."""
        return self.customer_id is not None or self.identifier is not None

    @property
    def who(self) -> dict[str, str]:
        """What a question for recommendations says of the customer."""
        if self.customer_id is not None:
            return {"customer_id": self.customer_id}
        if self.identifier is not None:
            return self.named
        return {"session_id": self.session_id}

    @property
    def named(self) -> dict[str, str]:
        """The identifier as a query names it; empty where there is none."""
        if self.identifier is None:
            return {}
        kind, value = self.identifier
        return {"identifier_type": kind, "identifier_value": value}
