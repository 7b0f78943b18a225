"""However orders are spread over files, the history has each once, with its own lines.

Hypothesis generates small worlds of tickets: stores and days with restarting numbers, in files that
overlap and repeat. Each world determines the expected history. A few worlds, each with its own
stores and cards, are ingested at a time.
"""

from collections import Counter
from itertools import starmap, zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .conftest import Workspace
from .test_shared_numbers import HEADER, TILLS

Ticket = tuple[int, int, int, str, tuple[tuple[str, int], ...]]
Basket = tuple[tuple[str, float], ...]


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[Ticket], list[list[Ticket]]]:
    """Tickets (day, store, number, card, goods), and files that hold each of them at least once."""
    goods = st.lists(
        st.tuples(st.sampled_from("abcde"), st.integers(1, 3)),
        min_size=1,
        max_size=3,
        unique_by=lambda line: line[0],
    )
    tickets = [
        (day, store, number, draw(st.sampled_from(["", f"C{day}{number}"])), tuple(draw(goods)))
        for day in range(draw(st.integers(1, 3)))
        for store in range(draw(st.integers(1, 2)))
        for number in range(1, draw(st.integers(2, 4)))
    ]
    n_files = draw(st.integers(1, 3))
    places = [
        draw(st.lists(st.integers(0, n_files - 1), min_size=1, max_size=2, unique=True))
        for _ in tickets
    ]
    files = [[t for t, at in zip(tickets, places, strict=True) if n in at] for n in range(n_files)]
    return tickets, [draw(st.permutations(file)) for file in files if file]


def rows_of(ticket: Ticket, world: int) -> str:
    """A ticket as its till exports it; numbers restart each day in each store."""
    day, store, number, card, goods = ticket
    at = f"2026-01-{5 + day:02} {8 + number:02}:1{store}:00"
    ends = f"S{world}{store},{card and f'{card}-{world}'}\n"
    return "".join(f"{number},{at},{sku},{qty},2,{ends}" for sku, qty in goods)


def held(workspace: Workspace) -> Counter[Basket]:
    """Return the orders of the history by their items."""
    found: dict[str, list[tuple[str, float]]] = {}
    for order, sku, qty in workspace.items():
        found.setdefault(order, []).append((sku, qty))
    return Counter(tuple(sorted(lines)) for lines in found.values())


def adds_up(summary: dict) -> bool:
    """Check that each source's counts match the rows read."""
    return all(
        account["read"]
        == sum(account[name] for name in ("kept", "repeated", "superseded"))
        + sum(account["left_out"].values())
        + sum(account["rejected"].values())
        for account in summary["sources"].values()
    )


@settings(
    max_examples=2,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(st.lists(worlds(), min_size=2, max_size=4))
def test_every_order_stands_once_with_its_lines(
    made: list[tuple[list[Ticket], list[list[Ticket]]]],
) -> None:
    sold = [(ticket, nth) for nth, (tickets, _) in enumerate(made) for ticket in tickets]
    wanted = Counter(tuple(sorted((sku, float(qty)) for sku, qty in t[4])) for t, _ in sold)
    files = [
        [(t, nth) for nth, file in enumerate(parts) for t in file or ()]
        for parts in zip_longest(*(files for _, files in made))
    ]
    with TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder))
        workspace.write(omnibasket_toml=TILLS)
        for number, file in enumerate(files):
            lines = HEADER + "".join(starmap(rows_of, file)) + "9,never,a,1,2,S0,\n"
            workspace.write(**{f"till__{number}_csv": lines})
        summary = workspace.ingest()
        assert held(workspace) == wanted
        assert adds_up(summary)
        assert summary["rows"]["read"] == sum(len(t[4]) for f in files for t, _ in f) + len(files)
        assert summary["rows"]["rejected"] == {"bad_time": len(files)}
        assert workspace.ingest()["changed"] is False
        # Ingest everything again in one file and another order: nothing is new.
        again = HEADER + "".join(starmap(rows_of, reversed(sold)))
        workspace.write(till__week_csv=again)
        summary = workspace.ingest()
        assert held(workspace) == wanted
        assert adds_up(summary)
