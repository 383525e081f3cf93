"""Do pages show the digits that are mixed up, and nothing that is no picture of ours?"""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import msgspec
import numpy as np
import pytest
from PIL import Image

from autograder.core.assignment import Lesson
from autograder.core.config import Config
from autograder.core.mnist import Mnist
from autograder.core.report import ConfusionReport, Report, Verdict
from autograder.grading.describe import png_text
from autograder.reports.files import Entry
from autograder.reports.pages import write_feedback
from autograder.reports.pages.pictures import class_confusions
from tests.pages.conftest import BuiltClass, OpenPage
from tests.pages.sample_reports import PICTURES, make_report

IMAGE = re.compile(r'<img src="data:image/png;base64,([^"]*)"[^>]*alt="([^"]*)"')


def with_confusions(config: Config, *pairs: ConfusionReport) -> Report:
    report = make_report(1, config, Verdict.PASSED)
    assert report.network is not None
    network = msgspec.structs.replace(report.network, confusions=list(pairs))
    return msgspec.structs.replace(report, network=network)


def pair(digit: int, taken_for: int, count: int, *pictures: str) -> ConfusionReport:
    return ConfusionReport(
        digit=digit, taken_for=taken_for, count=count, examples=[], pictures=list(pictures)
    )


def entry(report: Report) -> Entry:
    return Entry(folder=Path(report.submission), report=report)


def test_a_picture_is_the_image_with_dark_ink(mnist: Mnist) -> None:
    for image in mnist.x_train[:20]:
        shown = Image.open(io.BytesIO(base64.b64decode(png_text(image))))
        shown.verify()
        shown = Image.open(io.BytesIO(base64.b64decode(png_text(image))))
        assert shown.mode == "L" and shown.size == (28, 28)
        assert (255 - np.asarray(shown) == image).all()
        assert len(png_text(image)) < 1000


def test_the_student_sees_them(config: Config, tmp_path: Path) -> None:
    report = with_confusions(config, pair(4, 9, 23, *PICTURES), pair(7, 2, 1))
    page = write_feedback(report, None, tmp_path, config, Lesson()).read_text("utf-8")
    words = "a 4 that was taken for a 9"
    assert IMAGE.findall(page) == [(picture, words) for picture in PICTURES]
    assert "7 taken for 2: 1 time<" in page


@pytest.mark.parametrize(
    "picture",
    [
        '"><script>alert(1)</script>',
        "//evil.example/x.png",
        "AAAA AAAA",
        "",
        "AAAA",
        PICTURES[0] + "A" * 5000,
    ],
)
def test_what_is_no_picture_is_left_out(config: Config, tmp_path: Path, picture: str) -> None:
    report = with_confusions(config, pair(4, 9, 23, picture, PICTURES[0]))
    page = write_feedback(report, None, tmp_path, config, Lesson()).read_text("utf-8")
    assert [found for found, _ in IMAGE.findall(page)] == [PICTURES[0]]
    assert "<script" not in page


def test_the_class_counts_networks_and_not_images(config: Config) -> None:
    guesses = with_confusions(config, pair(0, 1, 480, PICTURES[1]))
    good = [with_confusions(config, pair(4, 9, 20, PICTURES[0])) for _ in range(2)]
    alike, other = class_confusions([entry(report) for report in [guesses, *good]])
    assert (alike.digit, alike.taken_for, alike.pictures) == (4, 9, [PICTURES[0]])
    assert "2 networks" in alike.text
    assert (other.digit, other.taken_for) == (0, 1) and "1 network" in other.text


def test_the_class_shows_what_most_networks_misread(config: Config) -> None:
    texts = [png_text(np.full((28, 28), value, dtype=np.uint8)) for value in range(9)]
    reports = [with_confusions(config, pair(4, 9, 9, texts[0], text)) for text in texts[1:]]
    [shown] = class_confusions([entry(report) for report in reports])
    assert shown.pictures[0] == texts[0]
    assert len(shown.pictures) == 6


def test_without_networks_there_is_nothing_to_show(config: Config) -> None:
    assert class_confusions([entry(make_report(1, config, Verdict.MALFORMED_SUBMISSION))]) == []


def test_a_browser_draws_them(built: BuiltClass, open_page: OpenPage) -> None:
    number = next(
        number for number, report in enumerate(built.reports) if report.network is not None
    )
    for url in (built.url, built.feedback_url(number)):
        page = open_page(url)
        sizes = page.locator(".digits img").evaluate_all(
            "images => images.map(image => [image.naturalWidth, image.naturalHeight])"
        )
        assert sizes == [[28, 28]] * len(PICTURES), url


def test_pictures_are_base64() -> None:
    assert all(base64.b64decode(picture, validate=True)[1:4] == b"PNG" for picture in PICTURES)
