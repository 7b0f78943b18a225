"""Whatever files orders come in, each stands in the history once, with its own lines.

Small worlds of tickets are made: stores and days whose numbers begin anew, spread over files that
overlap and repeat. What the history must hold is known from the world alone.
"""

from collections import Counter
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
        min_size=1, max_size=3, unique_by=lambda line: line[0],
    )  # fmt: skip
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


def rows_of(ticket: Ticket) -> str:
    """A ticket as its till exports it, numbers beginning anew each day in each store."""
    day, store, number, card, goods = ticket
    at = f"2026-01-{5 + day:02} {8 + number:02}:1{store}:00"
    return "".join(f"{number},{at},{sku},{qty},2,S{store},{card}\n" for sku, qty in goods)


def held(workspace: Workspace) -> Counter[Basket]:
    """The orders of the history by what they hold."""
    found: dict[str, list[tuple[str, float]]] = {}
    for order, sku, qty in workspace.items():
        found.setdefault(order, []).append((sku, qty))
    return Counter(tuple(sorted(lines)) for lines in found.values())


def adds_up(summary: dict) -> bool:
    """Hold the accounts of each source against what was read."""
    return all(
        account["read"]
        == sum(account[name] for name in ("kept", "repeated", "superseded"))
        + sum(account["left_out"].values())
        + sum(account["rejected"].values())
        for account in summary["sources"].values()
    )


@settings(
    max_examples=4, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip
@given(worlds())
def test_every_order_stands_once_with_its_lines(
    world: tuple[list[Ticket], list[list[Ticket]]],
) -> None:
    tickets, files = world
    wanted = Counter(tuple(sorted((sku, float(qty)) for sku, qty in t[4])) for t in tickets)
    with TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder))
        workspace.write(omnibasket_toml=TILLS)
        for number, file in enumerate(files):
            lines = HEADER + "".join(map(rows_of, file)) + "9,never,a,1,2,S0,\n"
            workspace.write(**{f"till__{number}_csv": lines})
        summary = workspace.ingest()
        assert held(workspace) == wanted
        assert adds_up(summary)
        assert summary["rows"]["read"] == sum(len(t[4]) for f in files for t in f) + len(files)
        assert summary["rows"]["rejected"] == {"bad_time": len(files)}
        assert workspace.ingest()["changed"] is False
        # All of it once more, in one file and in another order: nothing is new.
        again = HEADER + "".join(map(rows_of, reversed(tickets)))
        workspace.write(till__week_csv=again)
        summary = workspace.ingest()
        assert held(workspace) == wanted
        assert adds_up(summary)
