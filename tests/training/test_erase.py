"""``omnibasket erase``: says what would go, erases, and lets somebody come back."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from recsys.identity import KeyedHash
from recsys.ledger import Ledger, MarkFile
from tests.training.ingest.conftest import HEADER, LINES, Workspace
from training.cli import main


@pytest.fixture
def shop(tmp_path: Path) -> Workspace:
    workspace = Workspace(tmp_path)
    rows = "1,2026-01-05 10:00,tea,1,2,ada@x.org\n2,2026-01-06 10:00,tea,1,2,bo@x.org\n"
    workspace.write(omnibasket_toml=LINES, shop__1_csv=HEADER + rows)
    workspace.ingest()
    return workspace


def run(shop: Workspace, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["erase", "-w", str(shop.folder), *arguments])


def customer_of(shop: Workspace, email: str) -> str | None:
    ledger = Ledger.open(shop.config.ledger_url)
    found = ledger.resolve("email", KeyedHash.load(shop.config).identifier("email", email) or "")
    ledger.close()
    return found


def test_first_it_only_says_what_would_go(shop: Workspace) -> None:
    ada = customer_of(shop, "ada@x.org")
    result = run(shop, "email= Ada@x.org")
    assert result.exit_code == 0, result.output
    assert "Nothing was changed" in result.output
    assert customer_of(shop, "ada@x.org") == ada
    assert not MarkFile.of(shop.config).path.exists()
    result = run(shop, "email=ada@x.org", "--yes", "--json")
    found = json.loads(result.stdout)
    assert found["ids"] == [ada]
    assert found["rows"]["identifiers"] == found["rows"]["histories"] == 1
    assert customer_of(shop, "ada@x.org") is None
    assert customer_of(shop, "bo@x.org")
    shop.ingest()
    assert customer_of(shop, "ada@x.org") is None
    assert "erased before" in run(shop, "--customer-id", str(ada)).output


def test_a_person_can_come_back_by_their_own_wish(shop: Workspace) -> None:
    assert run(shop, "email=ada@x.org", "--lift", "--yes").exit_code == 4  # was not erased
    run(shop, "email=ada@x.org", "--yes")
    assert "Add --yes" in run(shop, "email=ada@x.org", "--lift").output
    shop.ingest()
    assert customer_of(shop, "ada@x.org") is None
    assert "may be stored again" in run(shop, "email=ada@x.org", "--lift", "--yes").output
    later = datetime.now(UTC) + timedelta(hours=3)
    shop.write(shop__2_csv=HEADER + f"3,{later:%Y-%m-%d %H:%M},jam,1,2,ada@x.org\n")
    shop.ingest()
    ada = customer_of(shop, "ada@x.org")
    assert ada
    assert {row["order_id"] for row in shop.table() if row["customer_id"] == ada} == {"shop:3"}


def test_who_is_not_known_yet_can_be_kept_out(shop: Workspace) -> None:
    assert "holds nothing" in run(shop, "email=cy@x.org", "--yes").output
    shop.write(shop__2_csv=HEADER + "3,2026-02-05 10:00,jam,1,2,cy@x.org\n")
    shop.ingest()
    assert customer_of(shop, "cy@x.org") is None


@pytest.mark.parametrize(
    ("arguments", "said", "code"),
    [
        ((), "Give TYPE=VALUE or --customer-id", 2),
        (("email=a@x.org", "--customer-id", "c0"), "Give TYPE=VALUE or --customer-id", 2),
        (("ada",), "write TYPE=VALUE", 2),
        (("--customer-id", "c0"), "nobody has the id", 4),
        (("email=test@test.com",), "a rule blocks it", 4),
    ],
)
def test_unclear_requests_change_nothing(
    shop: Workspace, arguments: tuple[str, ...], said: str, code: int
) -> None:
    result = run(shop, *arguments, "--yes")
    assert said in result.output
    assert result.exit_code == code
    assert not MarkFile.of(shop.config).path.exists()
