"""Codes that a tablet's camera sees are read, by the service where the browser cannot."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import segno
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser, Page, sync_playwright

from tests.serving.access.test_admission import problem
from tests.serving.api.test_customer_view import BOTH
from tests.serving.conftest import CHROMIUM, FLAGS, Start, needs_browser
from tests.serving.pages.browsing import key_of

SIDE = 480


def grey(text: str) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """A picture of a QR code as a camera sees it: light grey paper, dark grey ink."""
    rows = segno.make(text, micro=False).matrix_iter(scale=8, border=6)
    return np.array([[60 if dark else 210 for dark in row] for row in rows], np.uint8)


def test_the_service_reads_codes_where_the_browser_cannot(app: Flask, client: FlaskClient) -> None:
    picture = grey("2983113735101")
    height, width = picture.shape
    size = {"width": width, "height": height}

    def read(data: bytes, **given: int) -> Any:
        return client.post("/associate/codes", query_string={**size, **given}, data=data)

    assert read(picture.tobytes()).get_json() == {"codes": ["2983113735101"]}
    assert read(np.full_like(picture, 200).tobytes()).get_json() == {"codes": []}
    problem(read(picture.tobytes()[1:]), 400, "bad-request")
    problem(read(b"", width=0), 422, "invalid-request")
    key_of(app, "marketing")
    problem(read(picture.tobytes()), 401, "key-missing")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Chromium with a film of a card in the place of a camera's picture."""
    picture = grey(f"card{BOTH}")
    frame = np.full((SIDE, SIDE), 210, np.uint8)
    top = (SIDE - picture.shape[0]) // 2
    frame[top : top + picture.shape[0], top : top + picture.shape[1]] = picture
    chroma = np.full(SIDE * SIDE // 2, 128, np.uint8).tobytes()
    film = tmp_path_factory.mktemp("camera") / "film.y4m"
    head = f"YUV4MPEG2 W{SIDE} H{SIDE} F10:1 Ip A1:1 C420jpeg\n".encode()
    film.write_bytes(head + (b"FRAME\n" + frame.tobytes() + chroma) * 3)
    camera = [
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
    ]
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *camera])
        yield browser
        browser.close()


@needs_browser
def test_a_camera_reads_a_card(app: Flask, start: Start, page: Page) -> None:
    page.goto(f"{start(app)}/associate")
    page.locator("body[data-ready]").wait_for()
    page.get_by_label("Store").select_option("S1")
    page.get_by_role("button", name="Camera").click()
    page.locator("body[data-serving]").wait_for(timeout=15_000)
    assert page.locator("dialog").count() == 0
