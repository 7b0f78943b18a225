"""Decisions, and what is said of them."""

from recsys.config import CapSettings
from recsys.decisions.decision import MAX_WITHHELD, Decision, decode, described, encode
from recsys.decisions.suppression import Suppression, Withheld
from recsys.languages import language_of

NOW = 1_700_000_000  # 2023-11-14 22:13 UTC, 23:13 in Paris
TEA = Withheld("tea", "capped", cap="week", shown=(("email", NOW), ("web", NOW + 60)))
BEER = Withheld("beer", "not_interested", "category", refused_ts=NOW)


def test_a_decision_says_what_was_left_out_and_why() -> None:
    decision = Decision.of(
        "web", Suppression((TEA, BEER)), {"capped": 1, "filtered": 0}, "popular", ["milk"]
    )
    assert decode(encode(decision)) == decision
    caps = {"week": CapSettings(times=2, days=7)}
    found = described(decision, caps, "Europe/Paris")
    assert found["left_out"] == {"capped": 1}
    assert found["text"] == ["Products that had been shown often enough: 1."]
    assert found["fallback"] == "popular"
    milk, tea, beer = found["withheld"]
    assert milk == {
        "item_id": "milk",
        "code": "capped",
        "text": "A cap was reached while the answer was made.",
        "cap": None,
        "shown": [],
    }
    assert tea["text"] == (
        "The cap `week`, which allows 2 in 7 days: it was shown on email 2023-11-14 23:13, "
        "web 2023-11-14 23:14."
    )
    assert tea["shown"] == [
        {"channel": "email", "at": "2023-11-14T22:13:20Z"},
        {"channel": "web", "at": "2023-11-14T22:14:20Z"},
    ]
    assert beer["text"] == (
        "The customer did not want to see everything of its category: said on 2023-11-14 23:13."
    )
    assert beer["extent"] == "category"
    gone = described(decision, {}, "Europe/Paris")["withheld"][1]["text"]
    assert gone.startswith("The cap `week`: it was shown")  # the setting was removed since


def test_a_decision_stays_small() -> None:
    many = Suppression(tuple(Withheld(f"p{n}", "capped", cap="week") for n in range(300)))
    decision = Decision.of("web", many, {}, None, [])
    assert (len(decision.withheld), decision.more_withheld) == (MAX_WITHHELD, 300 - MAX_WITHHELD)


def test_of_an_older_version_nothing_is_said() -> None:
    assert described(None, {}, "UTC")["withheld"] == []


def test_a_decision_is_told_in_other_languages() -> None:
    decision = Decision.of("web", Suppression((TEA, BEER)), {"capped": 1}, "popular", [])
    caps = {"week": CapSettings(times=2, days=7)}
    english, german = (
        described(decision, caps, "Europe/Paris", language_of(tag)) for tag in ("en", "de")
    )
    assert german["text"] == ["Produkte, die oft genug gezeigt worden waren: 1."]
    assert german["withheld"][0]["text"] == (
        "Obergrenze `week` (2 in 7 Tagen): gezeigt am email 2023-11-14 23:13, web 2023-11-14 23:14."
    )
    assert [one["code"] for one in german["withheld"]] == [
        one["code"] for one in english["withheld"]
    ]
