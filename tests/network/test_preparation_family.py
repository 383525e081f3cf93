"""Is each member of the family recognised, and applied to other images as the student does it?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autograder.core.mnist import Mnist
from autograder.network.beside import Claim
from autograder.network.preparation import Preparation, recovering
from autograder.network.preparation.images import RawImages, quartiles
from autograder.network.preparation.recovering import TRIED, prove, usual_preparations
from tests.network import preparations as ways

pytestmark = pytest.mark.xdist_group("preparations")
"""In one process, so that their statistics are computed once."""


@pytest.fixture(scope="module")
def shuffled(mnist: Mnist) -> Any:
    return mnist.x_train[np.random.default_rng(5).permutation(len(mnist.x_train))[:300]]


def claim(rows: Any, total: int = 60_000, **options: Any) -> Claim:
    return Claim(**{"source": "fit", "is_variable": False, "total": total, "rows": rows, **options})


def proved(rows: Any, raw: RawImages, total: int = 60_000) -> Preparation:
    found = prove([claim(rows, total)], input_shape=rows.shape[1:], raw=raw)
    assert found is not None
    return found


def off(found: Preparation, way: Any, images: Any) -> float:
    """What the recovered preparation is off on images that it has not seen, at most, as a share
    of the standard deviation."""
    wanted = np.asarray(way(images), dtype=np.float64)
    return float(np.abs(found(images) - wanted).max() / wanted.std())


@pytest.mark.parametrize("name", ways.EXACT)
def test_the_same_preparation_is_applied(name: str, raw: RawImages, mnist: Mnist) -> None:
    way = ways.EXACT[name]
    found = proved(way(mnist.x_train[:300]), raw)
    # Pillow and OpenCV compute with whole numbers: a byte may come out one higher, or two.
    bound = 0.03 if name in ways.RESIZED else 2e-3 if "half" in name else 1e-5
    assert off(found, way, mnist.private_test[0][:300]) < bound, found.name


@pytest.mark.parametrize("name", ways.OVER_MANY)
def test_statistics_are_the_graders_own(name: str, raw: RawImages, mnist: Mnist) -> None:
    way = ways.OVER_MANY[name]
    total = next((each for each in (50_000, 10_000) if f"{each:,}" in name), 60_000)
    found = proved(way(mnist.x_train[60_000 - total :][:300]), raw, total)
    # In single precision sums of 60,000 pixels are off in the fifth digit.
    images = mnist.private_test[0][:300]
    wanted = np.asarray(way(images), dtype=np.float64)
    assert np.quantile(np.abs(found(images) - wanted), 0.999) < 1e-3 * wanted.std(), found.name


@pytest.mark.parametrize(
    "name",
    ["x / 255", "logarithm", "x > 127", "transposed", "padded", "averaged", "normalize, axis -1",
     "standardised per image", "Pillow, bicubic", "cropped", "1 - x / 255"],
)  # fmt: skip
def test_images_in_any_order_are_recognised(
    name: str, raw: RawImages, mnist: Mnist, shuffled: Any
) -> None:
    way = ways.EXACT[name]
    found = proved(way(shuffled), raw)
    # A byte that is rare may be in none of the claimed images.
    wanted = np.asarray(way(mnist.private_test[0][:300]), dtype=np.float64)
    error = np.abs(found(mnist.private_test[0][:300]) - wanted)
    assert np.quantile(error, 0.99) < 0.02 * wanted.std(), found.name


def test_standardised_pixels_in_any_order_are_recognised(raw: RawImages, shuffled: Any) -> None:
    assert proved(ways.OVER_MANY["StandardScaler"](shuffled), raw).name == "standardised per pixel"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("x / 255", "x / 255"),
        ("bytes", "x as it is (0 to 255)"),
        ("standardised", "standardised over all pixels"),
        ("odd numbers", "standardised over all pixels"),
        ("less the mean of all", "less the mean of all pixels, then x / 255"),
        ("x > 127", "black or white (x > 127)"),
        ("x // 255", "black or white (x > 254)"),
        ("x / 255 in half precision", "x / 255"),
        ("transposed", "x / 255, transposed"),
        ("padded", "x / 255, padded to 32 x 32"),
        ("padded after", "x / 127.5 - 1, padded to 32 x 32"),
        ("padded before", "padded to 32 x 32, then x / 127.5 - 1"),
        ("largest of 2 x 2", "x / 255, the largest of each 2 x 2 pixels"),
        (
            "cropped, repeated pixels",
            "x / 255, cropped to 20 x 20, resized to 40 x 40 (nearest)",
        ),
        ("square root", "a table with a new value for each of the 256 grey levels"),
        ("three channels", "x / 255, repeated to 3 channels"),
        ("normalize, axis -1", "each row scaled to length 1"),
        ("OpenCV, of fractions", "x / 255, resized to 32 x 32 (bilinear)"),
    ],
)
def test_it_is_named_in_words(name: str, words: str, raw: RawImages, mnist: Mnist) -> None:
    assert proved(ways.EXACT[name](mnist.x_train[:300]), raw).name == words


CALLED = {
    "x as it is (0 to 255)": "bytes",
    "standardised over all pixels": "standardised",
    "standardised per pixel": "StandardScaler",
    "less the mean of all pixels, then x / 255": "less the mean of all",
    "each image standardised": "standardised per image",
    "each column scaled to length 1": "normalize, axis 1",
    "each image scaled to length 1": "normalize, flat",
    "black or white (x > 127)": "x > 127",
    "black or white (x > 0)": "x > 0 as truth values",
    "inverted (1 - x / 255)": "1 - x / 255",
    "twice scaled (x / 255 / 255)": "twice",
}
"""What `ways` call the preparations that are tried without a proof, where it is not the same."""


@pytest.mark.parametrize("name", TRIED)
def test_what_is_tried_is_what_it_is_called(name: str, raw: RawImages, mnist: Mnist) -> None:
    images = mnist.private_test[0][:100]
    way = {**ways.EXACT, **ways.OVER_MANY}[CALLED.get(name, name)]
    wanted = np.asarray(way(images), dtype=np.float64).reshape(100, 784)
    found = usual_preparations((784,), raw)[name](images)
    # Sums of 60,000 images in single precision are off in the fifth digit, here and there.
    np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-4 * wanted.std())


@pytest.mark.parametrize(("begin", "total"), [(0, 48_000), (12_000, 48_000), (50_000, 10_000)])
def test_parts_of_the_training_images_are_recognised_in_order(
    begin: int, total: int, raw: RawImages, mnist: Mnist, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovering, "MOST_MATCHED", 0)  # none is looked up among all images
    found = proved(ways.f(mnist.x_train[begin : begin + 300]) / 255, raw, total)
    assert found.name == "x / 255"


def test_the_test_images_are_recognised(raw: RawImages, mnist: Mnist) -> None:
    handed_out = np.concatenate([mnist.public_test[0]] * 2)
    assert proved(ways.per_image(handed_out[:300]), raw, 10_000).name == "each image standardised"


def test_statistics_of_the_test_images_are_recognised(raw: RawImages, mnist: Mnist) -> None:
    """Scaled by their own, as where a scaler is fitted to each set."""
    handed_out = np.concatenate([mnist.public_test[0]] * 2)
    way = ways.fitted(ways.sk.StandardScaler(), handed_out)
    images = mnist.private_test[0][:300]
    error = off(proved(way(handed_out[:300]), raw, 10_000), way, images)
    assert error < 1e-3


@pytest.mark.parametrize("count", [1_000, 6_000])
@pytest.mark.parametrize("scaler", [ways.sk.StandardScaler, ways.sk.MinMaxScaler])
def test_statistics_of_few_images_are_recognised(
    scaler: Any, count: int, raw: RawImages, mnist: Mnist
) -> None:
    """Some pixels are white in all of these, but not in all images."""
    way = ways.fitted(scaler(), mnist.x_train[:count])
    found = proved(way(mnist.x_train[:300]), raw, count)
    images = mnist.private_test[0][:300]
    wanted = np.asarray(way(images), dtype=np.float64)
    assert np.quantile(np.abs(found(images) - wanted), 0.999) < 1e-3 * wanted.std(), found.name


def test_each_pixel_scaled_by_its_span_is_no_line(raw: RawImages, mnist: Mnist) -> None:
    """Few images leave pixels at the edge that never reach 255; with all of them it is x / 255."""
    images = mnist.x_train[:1000]
    rows = ways.fitted(ways.sk.MinMaxScaler(), images)(images[:300])
    name = "each pixel scaled from its smallest to its largest value"
    assert proved(rows, raw, 1000).name == name


def test_deviations_are_scikit_learns(raw: RawImages, mnist: Mnist) -> None:
    """Also of pixels that are the same in all images, which are divided by 1."""
    images = mnist.x_train[:2000]
    expected = ways.sk.StandardScaler().fit(ways.flat(images)).scale_.reshape(28, 28)
    np.testing.assert_allclose(raw.statistics(0, 2000).deviation, expected)


@pytest.mark.parametrize("count", [2, 3, 4, 5, 9000])
def test_quartiles_are_numpys(count: int, mnist: Mnist) -> None:
    images = mnist.x_train[:count, 8:20, 8:20]
    expected = np.percentile(images, [25, 50, 75], axis=0)
    np.testing.assert_allclose(quartiles(images), expected)
