"""What exports say of consents reaches the ledger: the later word counts, nothing is guessed."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recsys.config import ConsentSettings
from recsys.decisions import Consent, consents_to
from recsys.errors import ConfigError
from recsys.identity import KeyedHash
from recsys.ledger import Ledger, MarkFile
from tests.training.ingest.conftest import AT, LINES, Workspace

NOW = int(AT.timestamp())
MARKETING = '[sources.shop.consents.marketing]\nemail = "ok"\n'
HEADER = "order,time,sku,qty,price,email,card,ok\n"
SETTINGS = LINES + 'loyalty_card = "card"\n' + MARKETING


def line(number: int, day: str, email: str, card: str, word: str) -> str:
    return f"{number},{day} 10:00,tea,1,2,{email},{card},{word}\n"


def make(folder: Path, *lines: str, toml: str = SETTINGS, header: str = HEADER) -> Workspace:
    folder.mkdir(exist_ok=True)
    workspace = Workspace(folder)
    workspace.write(omnibasket_toml=toml, shop__1_csv=header + "".join(lines))
    return workspace


def said(shop: Workspace, kind: str, value: str) -> list[Consent]:
    """Return what a customer said, the latest of each purpose and channel, from the ledger."""
    ledger = Ledger.open(shop.config.ledger_url)
    stored = KeyedHash.load(shop.config).identifier(kind, value) or ""
    contact = ledger.contacts.state(ledger.resolve(kind, stored) or "")
    ledger.close()
    return sorted({one for each in contact.said for one in each}, key=lambda one: one.purpose)


def mails(shop: Workspace, kind: str, value: str, *, unsaid: bool = True) -> bool:
    ledger = Ledger.open(shop.config.ledger_url)
    stored = KeyedHash.load(shop.config).identifier(kind, value) or ""
    contact = ledger.contacts.state(ledger.resolve(kind, stored) or "")
    ledger.close()
    default = ConsentSettings(marketing=unsaid)
    return consents_to(contact.said, "marketing", "email", NOW, default)


def test_the_later_word_counts_for_every_identifier(tmp_path: Path) -> None:
    shop = make(
        tmp_path / "w",
        line(1, "2026-01-05", "ada@x.org", "C1", "no"),
        line(2, "2026-01-07", "ada@x.org", "", "Ja"),
        line(3, "2026-01-07", "bo@x.org", "", "yes"),
        line(4, "2026-01-07", "bo@x.org", "", "no"),  # at once: the refusal counts
        line(5, "2026-01-07", "cy@x.org", "", ""),
    )
    assert shop.ingest()["consents_noted"] == 3
    at = int(datetime(2026, 1, 7, 9, tzinfo=UTC).timestamp())  # in Berlin
    yes = Consent("marketing", "email", True, at, "shop")
    assert said(shop, "email", "ada@x.org") == said(shop, "loyalty_card", "C1") == [yes]
    assert not mails(shop, "email", "bo@x.org")
    assert said(shop, "email", "cy@x.org") == []
    assert mails(shop, "email", "cy@x.org")
    assert not mails(shop, "email", "cy@x.org", unsaid=False)
    assert shop.ingest()["consents_noted"] == 0


def test_what_the_person_said_later_stays(tmp_path: Path) -> None:
    shop = make(tmp_path / "w", line(1, "2026-01-05", "ada@x.org", "", "yes"))
    shop.ingest()
    ledger = Ledger.open(shop.config.ledger_url)
    stored = KeyedHash.load(shop.config).identifier("email", "ada@x.org") or ""
    ada = ledger.resolve("email", stored) or ""
    withdrawn = int(datetime(2026, 1, 20, tzinfo=UTC).timestamp())
    ledger.contacts.consent([ada], [Consent("marketing", "email", False, withdrawn, "page")])
    ledger.close()
    shop.write(shop__2_csv=HEADER + line(2, "2026-01-10", "ada@x.org", "", "yes"))
    assert shop.ingest()["consents_noted"] == 0
    assert not mails(shop, "email", "ada@x.org")
    shop.write(shop__3_csv=HEADER + line(3, "2026-01-25", "ada@x.org", "", "yes"))
    assert shop.ingest()["consents_noted"] == 1
    assert mails(shop, "email", "ada@x.org")


def test_what_cannot_be_read_is_counted_and_changes_nothing(tmp_path: Path) -> None:
    shop = make(
        tmp_path / "w",
        line(1, "2026-01-05", "ada@x.org", "", "perhaps"),
        line(2, "2026-01-06", "bo@x.org", "", "no"),
        line(3, "2026-01-07", "bo@x.org", "", "2026-01-07"),
    )
    found = shop.ingest()
    assert found["notes"]["consents_not_read"] == 2
    assert found["rows"]["kept"] == 3  # the orders count
    assert said(shop, "email", "ada@x.org") == []
    assert not mails(shop, "email", "bo@x.org")


def test_words_of_one_s_own_can_be_mapped(tmp_path: Path) -> None:
    toml = SETTINGS.replace('email = "ok"', 'all = { column = "ok", map = { "in" = "yes" } }')
    shop = make(
        tmp_path / "w",
        line(1, "2026-01-05", "ada@x.org", "", "in"),
        line(2, "2026-01-05", "bo@x.org", "", "out"),
        toml=toml,
    )
    assert shop.ingest()["notes"]["consents_not_read"] == 1
    assert [one.channel for one in said(shop, "email", "ada@x.org")] == [""]


def test_registrations_say_it_too(tmp_path: Path) -> None:
    club = """
[sources.club]
kind = "customer_links"
path = "club.csv"
[sources.club.columns]
occurred_at = "since"
[sources.club.identifiers]
email = "email"
loyalty_card = "card"
[sources.club.consents.personalisation]
all = "profile"
"""
    shop = make(tmp_path / "w", line(1, "2026-01-05", "ada@x.org", "", "yes"), toml=SETTINGS + club)
    rows = "2026-01-02,ada@x.org,C1,no\n,bo@x.org,C2,yes\n"
    shop.write(club_csv="since,email,card,profile\n" + rows)
    found = shop.ingest()
    assert found["notes"]["consents_without_a_time"] == 1
    purposes = {(one.purpose, one.given) for one in said(shop, "loyalty_card", "C1")}
    assert purposes == {("marketing", True), ("personalisation", False)}
    shop.write(omnibasket_toml=SETTINGS + club.replace('occurred_at = "since"\n', ""))
    with pytest.raises(ConfigError, match="need an `occurred_at`"):
        shop.ingest()


@pytest.mark.parametrize(
    ("toml", "wrong"),
    [
        (SETTINGS.replace("email =", "mail ="), "email"),
        (SETTINGS.replace("marketing]", "profit]"), "profit"),
        (SETTINGS.replace('email = "ok"', "email = {}"), "exactly one of"),
        (
            SETTINGS + '[sources.p]\nkind = "products"\npath = "items.csv"\n'
            '[sources.p.consents.marketing]\nemail = "ok"\n',
            "have no `consents`",
        ),
    ],
)
def test_wrong_settings_are_said(tmp_path: Path, toml: str, wrong: str) -> None:
    shop = make(tmp_path / "w", line(1, "2026-01-05", "a@x.org", "", "yes"), toml=toml)
    shop.write(items_csv="item_id,ok\ntea,yes\n")
    with pytest.raises(ConfigError, match=wrong):
        shop.ingest()


def test_shopify_maps_its_own_column(tmp_path: Path) -> None:
    toml = (
        '[sources.shop]\nkind = "shopify_orders"\npath = "shop"\n'
        '[sources.shop.consents.marketing]\nemail = "Accepts Marketing"\n'
    )
    header = (
        "Name,Email,Accepts Marketing,Created at,Lineitem quantity,Lineitem name,Lineitem price,"
        "Lineitem sku\n"
    )
    shop = make(
        tmp_path / "w",
        "#1,ada@x.org,no,2026-01-05 10:00:00 +0100,1,Tea,2.00,tea\n",
        "#1,ada@x.org,,2026-01-05 10:00:00 +0100,1,Jam,2.00,jam\n",
        "#2,bo@x.org,yes,2026-01-05 10:00:00 +0100,1,Tea,2.00,tea\n",
        toml=toml,
        header=header,
    )
    shop.ingest()
    assert not mails(shop, "email", "ada@x.org")
    assert mails(shop, "email", "bo@x.org", unsaid=False)


def test_who_was_erased_says_nothing_any_more(tmp_path: Path) -> None:
    shop = make(tmp_path / "w", line(1, "2026-01-05", "ada@x.org", "C1", "no"))
    shop.ingest()
    ledger = Ledger.open(shop.config.ledger_url)
    file = MarkFile.of(shop.config)
    stored = KeyedHash.load(shop.config).identifier("email", "ada@x.org") or ""
    ada = ledger.erasures.ids_of(customer_id=ledger.resolve("email", stored))
    ledger.erasures.erase(ada, NOW, file)
    assert shop.ingest()["consents_noted"] == 0
    word = Consent("marketing", "email", False, NOW)
    assert ledger.contacts.bring_in({own_id: [word] for own_id in ada}) == 0
    assert all(ledger.contacts.state(own_id).is_empty for own_id in ada)
    ledger.erasures.lift(ada, NOW + 10, file)
    ledger.close()
    shop.write(shop__2_csv=HEADER + line(2, "2026-03-01", "ada@x.org", "", "yes"))
    assert shop.ingest()["consents_noted"] == 0  # said before, or not yet


WORDS = st.lists(
    st.tuples(
        st.integers(1, 3),  # day
        st.sampled_from(["a@x.org", "b@x.org", ""]),
        st.sampled_from(["C1", "C2", ""]),
        st.sampled_from(["yes", "no", "", "hm"]),
    ),
    min_size=1,
    max_size=8,
)
_folders = iter(range(1_000))


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=WORDS)
def test_it_is_the_latest_word_of_each_customer(tmp_path: Path, words: list[Any]) -> None:
    rows = [
        line(n, f"2026-01-0{day}", email, card, word)
        for n, (day, email, card, word) in enumerate(words)
    ]
    shop = make(tmp_path / str(next(_folders)), *rows)
    shop.ingest()
    keyed = KeyedHash.load(shop.config)
    whose = {(row["type"], row["value"]): row["customer_id"] for row in shop.table("identifiers")}
    expected: dict[str, tuple[int, bool]] = {}
    for day, email, card, word in words:
        for kind, value in (("email", email), ("loyalty_card", card)):
            customer = whose.get((kind, keyed.identifier(kind, value) or ""))
            if customer and word in ("yes", "no"):
                spoken = (day, word == "no")
                expected[customer] = max(expected.get(customer, spoken), spoken)
    ledger = Ledger.open(shop.config.ledger_url)
    for customer in set(whose.values()) - {None}:
        found = {one.given for each in ledger.contacts.state(customer).said for one in each}
        assert found == ({not expected[customer][1]} if customer in expected else set())
    ledger.close()
