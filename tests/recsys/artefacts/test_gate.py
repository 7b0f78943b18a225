"""Which version may take the place of which, by their figures."""

from datetime import UTC, datetime

import pytest

from recsys.artefacts.artefact_format import Manifest
from recsys.artefacts.gate import check_gate, compare_versions
from recsys.config.settings import PublishSettings
from recsys.errors import ConfigError

NOW = datetime(2026, 3, 1, tzinfo=UTC)
GUARD = {"ndcg@10": 0.05, "coverage@10": 0.25}
PUBLISH = PublishSettings(guard=GUARD)


def version(ndcg, coverage=0.2, peer=0.3, window="a", width=0.0, segment="all", checks=()):
    """A version's manifest: our figures and own frequency's, all for one segment."""

    def row(method, metric, value):
        return {
            "segment": segment,
            "method": method,
            "metric": metric,
            "value": value,
            "n": 500,
            "low": None if value is None else value - width,
            "high": None if value is None else value + width,
        }

    figures = [
        row("omnibasket", "ndcg@10", ndcg),
        row("omnibasket", "coverage@10", coverage),
        row("own_frequency", "ndcg@10", peer),
        row("own_frequency", "coverage@10", 0.1),
    ]
    test = {"start": f"2026-01-0{'ab'.index(window) + 1}", "end": "2026-02-01"}
    return Manifest(
        created=NOW,
        as_of=NOW,
        fingerprint=f"history-{window}",
        metrics={"figures": figures},
        details={"test": test, "checks": list(checks)},
    )


@pytest.mark.parametrize(
    ("new", "old", "refused"),
    [
        (version(0.40), version(0.40), []),
        (version(0.50), version(0.40), []),
        (version(0.385), version(0.40), []),  # 3.75% worse, and 5% are allowed
        (version(0.37), version(0.40), ["ndcg@10"]),
        (version(0.40, coverage=0.1), version(0.40), ["coverage@10"]),
        (version(0.30, coverage=0.1), version(0.40), ["ndcg@10", "coverage@10"]),
        (version(None), version(0.40), ["ndcg@10"]),  # not measured any more
        (version(0.40), version(None), []),
        (version(0.40), None, []),
        (version(0.01, segment="web"), version(0.40, segment="web"), []),  # nobody guards it
    ],
)
def test_what_is_worse_by_more_than_its_margin_is_refused(new, old, refused):
    found = check_gate(new, old, PUBLISH).refusals
    assert [message.split()[0] for message in found] == refused


def test_a_harder_window_is_no_fault():
    """In window b everybody does half as well; what counts is the lead over the same method."""
    easy = version(0.40, peer=0.30, window="a")
    hard = version(0.20, peer=0.15, window="b")
    verdict = check_gate(hard, easy, PUBLISH)
    assert verdict.refusals == []
    assert "lead over the same simple method" in verdict.how
    (ndcg,) = [c for c in verdict.comparisons if c.metric == "ndcg@10"]
    assert (ndcg.beside, ndcg.change) == ("own_frequency", pytest.approx(0.0))
    easier_and_worse = version(0.42, peer=0.40, window="b")
    (message,) = check_gate(easier_and_worse, easy, PUBLISH).refusals
    assert "worse by 21.3% beside own_frequency's: 0.4200 after 0.4000" in message


def test_few_customers_in_different_windows_widen_the_margin():
    old = version(0.40, window="a", width=0.04)
    new = version(0.37, window="b", width=0.04)  # 7.5% worse, 14.7% of it may be chance
    assert check_gate(new, old, PUBLISH).refusals == []
    assert check_gate(version(0.25, window="b", width=0.04), old, PUBLISH).refusals != []
    same = version(0.37, window="a", width=0.04)  # the same customers: no chance in it
    assert check_gate(same, old, PUBLISH).refusals != []


def test_without_a_common_method_different_windows_are_not_compared():
    old, new = version(0.40, peer=0.0), version(0.10, window="b", peer=0.0)
    found = {c.metric: c for c in compare_versions(new, old, PUBLISH)}
    assert found["ndcg@10"].change is None
    assert not found["ndcg@10"].worse
    assert found["coverage@10"].change == 0


def test_segments_can_be_guarded():
    guarded = PublishSettings(guard=GUARD, segments=["all", "web"])
    old, new = version(0.40, segment="web"), version(0.30, segment="web")
    assert [m[:13] for m in check_gate(new, old, guarded).refusals] == ["ndcg@10 (web)"]


def test_doubtful_data_are_refused_even_without_a_current_version():
    failed = {"name": "volume", "level": "failed", "message": "half of it is missing"}
    warned = {"name": "events", "level": "warning", "message": "none lately"}
    verdict = check_gate(version(0.4, checks=[failed, warned]), None, PUBLISH)
    assert verdict.refusals == ["its data check failed: half of it is missing"]


def test_a_metric_that_nobody_measures_is_told():
    with pytest.raises(ConfigError, match=r"unknown metric `ndgc@10`. Did you mean `ndcg@10`"):
        check_gate(version(0.4), version(0.4), PublishSettings(guard={"ndgc@10": 0.1}))


def test_where_nobody_bought_anything_new_nothing_new_is_guarded():
    guarded = PublishSettings(guard={"ndcg@10": 0.05, "new_ndcg@10": 0.1})
    assert check_gate(version(0.4), version(0.4), guarded).refusals == []
    assert check_gate(version(0.3), version(0.4), guarded).refusals
