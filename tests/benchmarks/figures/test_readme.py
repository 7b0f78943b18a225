"""Tables of README.md from small results."""

import pytest

from benchmarks._figures import readme

J, U = readme.JOURNEY, readme.UCI
OURS = "omnibasket"


def lines(text):
    return [line for line in text.splitlines() if not line.startswith("|---")]


def accuracy_rows(task, metric, ours, others, lead):
    rows = {(task, OURS, metric): (ours, 0.1, 0.2, 2006)}
    rows |= {(task, method, metric): (value, 0.1, 0.2, 2006) for method, value in others.items()}
    return rows | {(task, OURS, f"lead_{metric}"): lead}


def test_accuracy_is_bold_where_the_lead_is_sure(plant):
    rows = {}
    for task, metrics in {
        J: ("ndcg@10", "new_ndcg@10"),
        U: ("ndcg@10", "new_ndcg@10"),
        "hm_week": ("ndcg@12",),
        "tafeng": ("recall@10", "recall@20"),
    }.items():
        for metric in metrics:
            sure = metric == "ndcg@10"
            lead = (0.014, 0.010 if sure else -0.001, 0.018, 2006)
            others = {"popular": 0.176, "own_then_popular": 0.4188}
            rows |= accuracy_rows(task, metric, 0.433, others, lead)
    heading, first, second, *_ = lines(readme.accuracy(plant(accuracy=rows)))
    assert heading == "| task | metric | Omnibasket | best other | most popular | lead |"
    assert first == (
        "| The Complete Journey, next 28 days, 2,006 customers | NDCG@10 | **.433** "
        "| .419 own, then popular | .176 | .014 ± .004 |"
    )
    assert second.startswith("| the same, new to the customer | NDCG@10 | .433 |")


def test_one_history(plant):
    rows = {
        ("hm_week", method, metric): (value,)
        for method in ("one_channel", OURS, "popular", "own_frequency")
        for metric, value in (("ndcg@12", 0.0594), ("recall@12", 0.089), ("hr@12", 0.129))
    }
    _, alone, unified, *_ = lines(readme.one_history(plant(hm_week=rows)))
    assert alone == "| one channel alone | .059 | .089 | 12.9% |"
    assert unified == "| unified | **.059** | **.089** | **12.9%** |"


def bundle_rows(task, wrong, false_pairs, false):
    planted = f"{task}, planted"
    return {
        (task, OURS, "false_discovery_rate"): (wrong / 20, 0.0, 0.2, 20),
        (task, OURS, "false_pairs"): (false_pairs / 20,),
        (task, OURS, "false_sets"): (0.0,),
        (task, OURS, "false_after"): (0.0,),
        (task, "rusket", "false_discovery_rate"): (1.0, 0.1, 1.0, 1),
        (task, "rusket", "false_pairs"): (79148.0,),
        (planted, OURS, "found_share"): (0.94, 0.9, 0.96, 648),
        (planted, OURS, "false_discovery_rate"): (false,),
        (planted, "oracle", "found_share"): (0.944,),
        (planted, "rusket", "found_share"): (1.0,),
        (planted, "rusket, by lift", "found_share"): (0.836,),
        (planted, "rusket, by zhang", "found_share"): (0.846,),
        (planted, "rusket, by zhang", "false_discovery_rate"): (0.1,),
    }


def test_bundles(plant):
    rows = bundle_rows(J, 0, 0, 0.0) | bundle_rows(U, 1, 1, 0.002)
    _, *body = lines(readme.bundles(plant(bundles=rows)))
    assert body == [
        "| The Complete Journey | shuffles with any report | **0 of 20** "
        "| 1 of 1, 79,148 pairs | |",
        "| | planted pairs found | **.940**, none false | .846 by Zhang's metric in a list of the "
        "same length, .100 false | .944 |",
        "| UCI Online Retail II | shuffles with any report | **1 of 20**, one bundle "
        "| 1 of 1, 79,148 pairs | |",
        "| | planted pairs found | **.940**, .002 false | .846 by Zhang's metric in a list of the "
        "same length, .100 false | .944 |",
    ]


@pytest.mark.parametrize(
    ("lead", "said"),
    [
        ((0.006, -0.004, 0.016), ".264, level with EASE's .258 (lead .006 ± .010)"),
        ((0.006, 0.001, 0.011), "**.264**, ahead of EASE's .258 (lead .006 ± .005)"),
        ((-0.006, -0.011, -0.001), ".264, behind EASE's .258 (lead -.006 ± .005)"),
    ],
)
def test_bundles_that_last(plant, lead, said):
    lasting = {
        (task, method, "strict_persistence@2000"): (value,)
        for task, method, value in (
            (J, OURS, 0.955),
            (J, "rusket", 0.9493),
            (U, OURS, 0.9),
            (U, "rusket", 0.93),
        )
    }
    ranked = {}
    for metric in ("recall@20", "recall@40"):
        ranked |= accuracy_rows(readme.YOUSHU, metric, 0.264, {"ease": 0.258}, lead)
    text = " ".join(readme.bundles_that_last(plant(bundles=lasting, accuracy=ranked)).split())
    assert (
        "95.5% still hold in the second half of The Complete Journey (tuned rules: 94.9%)" in text
    )
    assert "and 90.0% in UCI (93.0%)" in text
    assert f"recall@20 {said}; recall@40 {said}." in text


def test_identities(plant):
    rows = {
        (J, method, metric): (value,)
        for method, value in ((OURS, 0.9995), ("same e-mail", 0.33), ("any chain of links", 1.0))
        for metric in ("precision", "recall")
    }
    assert lines(readme.identities(plant(identity=rows)))[1:] == [
        "| Omnibasket | **.9995** | **.9995** |",
        "| same e-mail | .3300 | .3300 |",
        "| any chain of links | 1 | 1 |",
    ]
