"""Figures that are times, from small results."""

from benchmarks._figures import ranking_page, times
from benchmarks._figures.readme import JOURNEY, UCI

OURS, ALS = "omnibasket", "implicit_als"


def plain(text):
    return " ".join(text.split())


def bundle_rows():
    rows = {}
    for task in (JOURNEY, UCI):
        for method, seconds in ((OURS, 2.24), ("mlxtend", 26.8), ("rusket", 2.8)):
            rows[task, method, "seconds"] = (seconds, 2.0, 3.0, 3)
            rows[task, method, "peak_mb"] = (928.4,)
            rows[task, method, "pairs"] = (101237.0,)
        rows[task, OURS, "times_rusket"] = (0.76, 0.71, 0.77, 3)
        rows[task, OURS, "times_mlxtend"] = (0.08, 0.07, 0.08, 3)
    return rows


def test_pairs(plant):
    rows = {(JOURNEY, OURS, "pairs"): (357551.0,)}
    for method, seconds, memory in (
        (OURS, 0.17, 250.0),
        ("scipy", 1.0, 1000.0),
        ("duckdb", 1.7, 0.0),
        ("polars", 1.1, 0.0),
        ("rusket", 2.3, 0.0),
    ):
        rows[JOURNEY, method, "times_scipy"] = (seconds,)
        rows[JOURNEY, method, "extra_mb"] = (memory,)
    text = times.pairs(plant(times_pairs=rows))
    assert text.startswith("**Pair counting**")
    assert (
        "all 357,551 pairs of products that share at least five baskets of The Complete Journey "
        "takes .17 of the time of scipy's `XᵀX` (DuckDB 1.7, Polars 1.1, rusket 2.3) and .25 of "
        "its memory."
    ) in plain(text)


def test_speed(plant):
    latency = {
        (JOURNEY, OURS, "p50_ms"): (9.26,),
        (JOURNEY, OURS, "p99_ms"): (15.94,),
        (JOURNEY, ALS, "p50_ms"): (2.06,),
        (JOURNEY, OURS, "per_second"): (613.4,),
        (JOURNEY, ALS, "per_second"): (4712.0,),
    }
    growth = {
        (f"{JOURNEY}_x1", OURS, "seconds"): (238.2, None, None, 1_444_389),
        (f"{JOURNEY}_x1", OURS, "peak_mb"): (2662.4,),
        (f"{JOURNEY}_x1", OURS, "times_als"): (43.2,),
    }
    ingest = {
        (JOURNEY, OURS, "times_duckdb"): (8.04, 7.1, 9.2, 1_500_000),
        (JOURNEY, OURS, "peak_mb"): (1126.4,),
    }
    read = plant(
        times_latency=latency, times_growth=growth, times_ingest=ingest, times_bundles=bundle_rows()
    )
    text = times.speed(read)
    assert text.count("\n- ") == 3
    for said in (
        "9.3 ms at the median and 15.9 ms at the 99th percentile",
        "4.5 times as long as implicit's ALS without a ranker in the same run, 2.1 ms",
        "613 customers a second on two threads, ALS 4,700",
        "the demo's 1.4 million lines take 238 s and 2.6 GB: 43 times as long",
        "An ingest of 1.5 million lines takes 8.0 times as long",
        "(7.1 to 9.2 in single rounds; goal: 4 times), and 1.1 GB",
        "The Complete Journey 2.2 s, 76% of rusket's time and 8% of mlxtend's",
    ):
        assert said in plain(text)
    assert times.machine(read) == "2 cores and 24 GB"


def test_bundles_cost(plant):
    assert times.bundles_cost(plant(times_bundles=bundle_rows())).splitlines()[2:4] == [
        "| Complete Journey | omnibasket | 2.2 | 928 | 101,237 | 0.76 [0.71, 0.77] "
        "| 0.08 [0.07, 0.08] |",
        "| | mlxtend | 26.8 | 928 | 101,237 | | |",
    ]


def test_rankers_cost(plant):
    rows = {}
    for way in ranking_page.WAYS:
        rows[UCI, way, "cpu_seconds"] = (24.6,)
        rows[UCI, way, "ms"] = (13.8 if way == "histogram boosting" else 0.056,)
    written = times.rankers_cost(plant(times_rankers=rows)).splitlines()[2:]
    assert written[0] == "| linear | 25 | .06 |"
    assert written[1] == "| histogram boosting (scikit-learn) | 25 | 13.8 |"
