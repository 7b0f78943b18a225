"""The workspace's clock: on a history that ended long ago, time goes on from its end."""

import time
from datetime import UTC, datetime, timedelta

import msgspec
from flask.testing import FlaskClient

from recsys.config.toml_file import Config
from tests.serving.conftest import LAST_DAY, Serve, ask, bought, ids, known


def old_shop(config: Config, serve: Serve) -> FlaskClient:
    settings = msgspec.structs.replace(config.serve, clock="history")
    return serve(msgspec.structs.replace(config, serve=settings)).test_client()


def test_what_was_bought_last_was_bought_just_now(config: Config, serve: Serve) -> None:
    client = old_shop(config, serve)
    answer = ask(client, **known(0))
    as_of = datetime.fromisoformat(answer["as_of"])
    assert abs(as_of - LAST_DAY) < timedelta(hours=1)
    assert ids(answer) != ids(ask(client))


def test_events_count_whether_they_carry_its_time_or_the_walls(
    config: Config, serve: Serve
) -> None:
    client = old_shop(config, serve)
    first, second = ids(ask(client, **known(0)))[:2]
    walls = bought("now", first, **known(0)) | {"occurred_at": datetime.now(UTC).isoformat()}
    shops = bought("then", second, **known(0)) | {"occurred_at": ask(client)["as_of"]}
    told = client.post("/v1/events", json={"events": [walls, shops]}).get_json()
    assert told["accepted"] == 2
    time.sleep(1.1)  # a history ends before the second that is asked for
    after = ask(client, **known(0))
    assert not {first, second} & set(ids(after))
    assert after["left_out"]["just_bought"] == 2
