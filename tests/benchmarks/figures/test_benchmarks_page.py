"""Tables of docs/benchmarks.md from small results."""

from benchmarks._figures import benchmarks_page as page
from benchmarks._figures.readme import JOURNEY, UCI, YOUSHU

OURS = "omnibasket"


def body(text):
    return text.splitlines()[2:]


def test_all_methods_of_a_task_the_best_first(plant):
    rows = {
        (YOUSHU, "popular", "recall@20"): (0.2, 0.19, 0.21, 2959),
        (YOUSHU, OURS, "recall@20"): (0.264, 0.25, 0.276, 2959),
        (YOUSHU, OURS, "recall@40"): (0.37, 0.36, 0.38, 2959),
        (YOUSHU, OURS, "lead_recall@20"): (0.0058, -0.004, 0.0154, 2959),
        (YOUSHU, OURS, "lead_recall@40"): (-0.01, -0.02, 0.0, 2959),
    }
    found = plant(accuracy=rows)
    assert body(page.accuracy_of(found, YOUSHU, ("recall@20", "recall@40"))) == [
        "| omnibasket | .2640 ± .0130 | .3700 ± .0100 |",
        "| popular | .2000 ± .0100 | |",
        "| *our lead over the best* | +.0058 ± .0097 | -.0100 ± .0100 |",
    ]
    assert page.customers(found, YOUSHU, "recall@20") == "2,959"


def test_shuffled(plant):
    rows = {}
    for task in (JOURNEY, UCI):
        for kind, value in (("", 0.05), ("_pairs", 0.05), ("_sets", 0.0), ("_after", 0.0)):
            rows[task, OURS, f"false_discovery_rate{kind}"] = (value, 0.001, 0.249, 20)
        rows[task, OURS, "false_pairs"] = (0.05,)
        rows[task, "rusket", "false_discovery_rate"] = (1.0, 0.1, 1.0, 1)
        rows[task, "rusket", "false_discovery_rate_pairs"] = (1.0, 0.1, 1.0, 1)
        rows[task, "rusket", "false_pairs"] = (79148.0,)
    assert body(page.shuffled(plant(bundles=rows)))[:2] == [
        "| Complete Journey | omnibasket | .050 [.001, .249] | .050 | 0 | 0 | .05 |",
        "| | rusket | 1 | 1 | | | 79,148 |",
    ]


def test_planted(plant):
    rows = {}
    for shop in (JOURNEY, UCI):
        methods = [(f"{shop}, planted", method) for method in page._PLANTED_BY]
        for task, method in (*methods, (f"{shop}, planted after", OURS)):
            rows[task, method, "found_share"] = (0.94, 0.919, 0.957, 648)
            rows[task, method, "found_share_plain"] = (1.0, 0.9, 1.0, 400)
            if method != "oracle":
                rows[task, method, "reported"] = (203.0,)
                rows[task, method, "false_discovery_rate"] = (0.0,)
    written = body(page.planted(plant(bundles=rows)))
    assert written[0] == (
        "| Complete Journey | omnibasket | .940 [.919, .957] | 648 | 1 | | | 203 | 0 |"
    )
    assert written[1] == "| | *oracle* | .940 [.919, .957] | 648 | 1 | | | | |"
    assert written[4] == "| | … by Zhang's metric | .940 | 648 | 1 | | | 203 | 0 |"
    assert written[7] == "| | omnibasket, after | .940 [.919, .957] | 648 | 1 | | | 203 | 0 |"
    assert len(written) == 16


def test_lasting_has_one_line_a_length(plant):
    rows = {}
    for shop in (JOURNEY, UCI):
        for task in (shop, f"{shop}, no variants"):
            for method, value in ((OURS, 0.98), ("rusket", 1.0)):
                for kind in ("persistence", "strict_persistence", "sold_persistence"):
                    for length in (452, 100):
                        rows[task, method, f"{kind}@{length}"] = (value,)
    assert body(page.lasting(plant(bundles=rows)))[:3] == [
        "| Complete Journey | 100 | .980 | 1 | .980 | 1 | .980 | 1 |",
        "| | 452 | .980 | 1 | .980 | 1 | .980 | 1 |",
        "| Complete Journey, no variants | 100 | .980 | 1 | .980 | 1 | .980 | 1 |",
    ]


def diversity_rows(task, strength):
    return {
        (task, f"diversity {strength:g}", metric): (value, -0.0005, 0.0005, 2000)
        for metric, value in (
            ("ndcg@10", 0.4245),
            ("gain", -0.0003),
            ("coverage@10", 0.068),
            ("alike@10", 0.17),
            ("new_ndcg@10", 0.0528),
            ("new_gain", 0.0004),
            ("new_alike@10", 0.0),
        )
    }


def test_diversity(plant):
    rows = {}
    for task in ("demo", UCI):
        for strength in (0.0, 0.2, 0.3, 1.0):
            rows |= diversity_rows(task, strength)
    first, default, *_ = body(page.diversity(plant(diversity=rows)))
    assert first == "| demo, 2,000 customers | 0 | .4245 | | .068 | .170 | .0528 | | 0 |"
    assert default == (
        "| | **0.2** | .4245 | -.0003 ± .0005 | .068 | .170 | .0528 | +.0004 ± .0005 | 0 |"
    )
    test_window = body(page.diversity_test(plant(diversity_test=rows)))
    assert [line.split(" | ")[0] for line in test_window] == ["| 0", "| **0.2**"]


def test_just_bought(plant):
    rows = {}
    for task in ("demo", UCI):
        for share, ndcg, gain, hidden in (("0", 0.4, 0.0, 0.0), ("0.1", 0.35, -0.05, 3.96)):
            method = f"until due {share}"
            rows[task, method, "ndcg@10"] = (ndcg, None, None, 2000)
            rows[task, method, "gain"] = (gain, gain - 0.004, gain + 0.004, 2000)
            rows[task, method, "hidden@10"] = (hidden, None, None, 2000)
    assert body(page.just_bought(plant(just_bought=rows))) == [
        "| demo, 2,000 customers | **0** | .4000 | | 0.0 |",
        "| | 0.1 | .3500 | -.0500 ± .0040 | 4.0 |",
        "| UCI Online Retail II, 2,000 customers | **0** | .4000 | | 0.0 |",
        "| | 0.1 | .3500 | -.0500 ± .0040 | 4.0 |",
    ]
