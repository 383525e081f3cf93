"""Does a claim that lies prove nothing, or no more than a member of the grader's own family?"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograder.core.mnist import Mnist
from autograder.network.beside import (
    LARGEST,
    MAX_BYTES,
    MAX_CLAIMS,
    MAX_ROWS,
    Claim,
    read_claims,
)
from autograder.network.preparation.geometry import Geometry, geometries
from autograder.network.preparation.images import RawImages
from autograder.network.preparation.recovering import SAMPLE, prove

COUNT = 300


@pytest.fixture(scope="module")
def x(mnist: Mnist) -> Any:
    return mnist.x_train[:COUNT].astype(np.float32) / 255


def claim(rows: Any, *, is_variable: bool = False, source: str = "fit") -> Claim:
    return Claim(source=source, is_variable=is_variable, total=60_000, rows=rows)


def proved(rows: Any, raw: RawImages) -> Any:
    return prove([claim(rows)], input_shape=rows.shape[1:], raw=raw)


def sorted_by_label(x: Any, y: Any) -> Any:
    """A table for each digit: whoever knows it needs no network."""
    tables = np.random.default_rng(1).random((10, 256)).astype(np.float32)
    return tables[y[:, None, None], np.rint(255 * x).astype(int)]


def larger(rounding: str = "") -> Geometry:
    """As a library resizes bytes to 56 x 56."""
    plain = next(g for g in geometries(56, 56) if g.name == "resized to 56 x 56 (bilinear)")
    return replace(plain, rounding=rounding)


def half_of_it(x: Any, step: int) -> Any:
    """Every so many images by another line: none of the first, nor of those that are fitted to."""
    rows = x[:SAMPLE].copy()
    rows[9::step] *= 0.5
    return rows


def lies(x: Any, y: Any) -> dict[str, Any]:
    random = np.random.default_rng(2)
    channels = np.repeat(x[..., None], 3, axis=-1)
    own_line = channels * np.array([1, 2, 3], np.float32) + np.array([0, 1, 2], np.float32)
    one_pixel = channels.copy()
    one_pixel[-1, 14, 14, 2] += 1
    ten = np.repeat(x[..., None], 10, axis=-1)
    late = x.copy()
    late[COUNT // 2 :] = random.permutation(late[COUNT // 2 :].reshape(-1)).reshape(-1, 28, 28)
    swapped = x.copy()
    swapped[::2] = swapped[::2][::-1]
    every_fifth = x.copy()
    every_fifth[::5] += random.normal(0, 0.05, x[::5].shape)
    rounded = larger("rounded").laid(np.rint(255 * x))
    mixing = random.normal(size=(784, 784)).astype(np.float32)
    return {
        "channels that differ": own_line,
        "one pixel of one channel that differs": one_pixel,
        "channels first, and each its own": np.moveaxis(own_line, -1, 1),
        "one pixel that differs, channels first": np.moveaxis(one_pixel, -1, 1),
        "ten channels": ten,
        "a line for each pixel": x * random.random((28, 28), dtype=np.float32),
        "a constant for each pixel": x + random.random((28, 28), dtype=np.float32),
        "a table for each pixel": np.sin(9 * x + np.arange(784, dtype=np.float32).reshape(28, 28)),
        "a free matrix": (x.reshape(-1, 784) @ mixing).reshape(-1, 28, 28),
        "shuffled pixels": x.reshape(-1, 784)[:, random.permutation(784)].reshape(-1, 28, 28),
        "a table for each label": sorted_by_label(x, y),
        "the label in a corner": np.where(np.arange(28) < 1, y[:, None, None] / 9, x),
        "the label added": x + y[:, None, None] / 9,
        "a line for each image": x * random.random((COUNT, 1, 1), dtype=np.float32),
        "noise of another kind": x + random.normal(0, 0.2, x.shape).astype(np.float32),
        "noise that rounding does not explain": (
            x.reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4)) + random.normal(0, 0.01, (COUNT, 14, 14))
        ),
        "noise that other statistics do not explain": (
            x - x.mean(axis=0) + random.normal(0, 0.01, x.shape)
        ),
        "noise in every fifth image": every_fifth,
        "nothing but noise": random.random(x.shape, dtype=np.float32),
        "augmented by shifts": np.stack(
            [np.roll(image, tuple(random.integers(-3, 4, 2)), (0, 1)) for image in x]
        ),
        "sound at first, noise later": late,
        "one image again and again": np.repeat(x[:1], COUNT, axis=0),
        "a few images again and again": np.tile(x[:10], (COUNT // 10, 1, 1)),
        "all the same number": np.full_like(x, 0.5),
        "zeros, some of them negative": np.where(random.random(x.shape) < 0.5, -0.0, 0.0),
        "means of two images": (x + x[::-1]) / 2,
        "too few images": x[:15],
        "wrong number of pixels": np.repeat(x.reshape(-1, 784), 2, axis=1)[:, :1000],
        "a strip": x[:, :1, :],
        "a table after enlarging": random.random(256)[np.rint(rounded).astype(int)],
        "another line in every second image": half_of_it(x, 2),
        "another line in a third of those kept back": half_of_it(x, 6),
        "values after enlarging": np.sin(9 * np.kron(x, np.ones((2, 2))) + np.eye(56)),
    }


@pytest.mark.parametrize("name", lies(np.zeros((COUNT, 28, 28), np.float32), np.zeros(COUNT, int)))
def test_it_proves_nothing(name: str, x: Any, raw: RawImages, mnist: Mnist) -> None:
    found = proved(lies(x, mnist.y_train[:COUNT].astype(int))[name], raw)
    assert found is None, found.name


def test_few_images_of_those_kept_back_may_be_something_else(x: Any, raw: RawImages) -> None:
    """Two of 48 may, an eighth may not."""
    rows = x[:SAMPLE].copy()
    rows[[21, 51]] *= 0.5
    found = proved(rows, raw)
    assert found is not None and found.name == "x / 255"
    rows[[9, 33, 63, 81]] *= 0.5
    assert proved(rows, raw) is None


def test_statistics_of_enlarged_images_are_not_in_the_family(raw: RawImages) -> None:
    """What is enlarged first takes as many numbers as it has pixels."""
    few = RawImages(raw.x_train[:11_000], raw.x_test)
    of_all = few.statistics(0, 11_000, larger())
    rows = (larger().laid(raw.x_train[:COUNT]) - of_all.mean) / of_all.deviation
    claims = [replace(claim(rows), total=11_000)]
    assert prove(claims, input_shape=(56, 56), raw=few) is None


def test_images_that_are_the_graders_in_another_order_prove_what_they_are(
    x: Any, raw: RawImages
) -> None:
    # Which images they are is found out, not told: a wrong order gains nothing.
    found = proved(np.concatenate([x[::2][::-1], x[1::2]]), raw)
    assert found is not None and found.name == "x / 255"


def test_the_strangest_table_is_but_a_table(x: Any, raw: RawImages) -> None:
    table = np.arange(256) + np.random.default_rng(4).normal(0, 60, 256)
    found = proved(table[np.rint(255 * x).astype(int)], raw)
    assert found is not None and found.fit.table is not None
    assert found.fit.table.shape == (256,)


def test_of_claims_that_contradict_each_other_the_first_counts(x: Any, raw: RawImages) -> None:
    noise = np.random.default_rng(3).random(x.shape)
    claims = [
        claim(noise, source="a"),
        claim(1 - x, source="b"),
        claim(x, source="c"),
    ]
    found = prove(claims, input_shape=(28, 28), raw=raw)
    assert found is not None
    assert (found.source, found.name) == ("b", "inverted (1 - x / 255)")


def test_bytes_as_handed_out_prove_nothing_where_no_network_was_given_them(
    x: Any, raw: RawImages, mnist: Mnist
) -> None:
    handed_out = mnist.x_train[:COUNT]
    lying_about = claim(handed_out, is_variable=True, source="x_train")
    assert prove([lying_about], input_shape=(28, 28), raw=raw) is None
    ready = claim(x, is_variable=True, source="x_ready")
    found = prove([lying_about, ready], input_shape=(28, 28), raw=raw)
    assert found is not None and found.source == "x_ready"


def test_a_claim_for_another_input_proves_nothing(x: Any, raw: RawImages) -> None:
    assert prove([claim(x)], input_shape=(32, 32), raw=raw) is None
    assert prove([claim(x)], input_shape=(784,), raw=raw) is None
    found = prove([claim(x)], input_shape=(None, None, 1), raw=raw)
    assert found is not None and found(raw.x_test[:2]).shape == (2, 28, 28, 1)


def test_no_more_than_256_numbers_come_from_a_claim(x: Any, raw: RawImages) -> None:
    # The brink: a border of its own in each pixel would be 240 more.
    padded = np.pad(x, ((0, 0), (2, 2), (2, 2)))
    painted = padded + np.where(np.pad(np.ones((28, 28)), 2), 0, np.random.default_rng(5).random())
    assert proved(padded, raw) is not None
    assert proved(painted, raw) is None


# ------------------------------------------------------------------ what lies in the folder


def entry(rows: Any, offset: int = 0, **changed: Any) -> dict[str, Any]:
    return {
        "source": "fit",
        "name": "",
        "total": 60_000,
        "shape": list(rows.shape),
        "dtype": rows.dtype.name,
        "offset": offset,
        "bytes": rows.nbytes,
        **changed,
    }


def left(folder: Path, claims: Any, content: bytes) -> tuple[Claim, ...]:
    text = claims if isinstance(claims, bytes) else json.dumps({"format": 1, "claims": claims})
    (folder / "claims.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    (folder / "claims.bin").write_bytes(content)
    return read_claims(folder)


ROWS = np.arange(40 * 12, dtype=np.float32).reshape(40, 3, 4)
OTHERS = np.arange(30, dtype=np.uint8).reshape(30, 1)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    claims = [entry(ROWS), entry(OTHERS, ROWS.nbytes, source="variable", name="x\x1b[2J")]
    read = left(tmp_path, claims, ROWS.tobytes() + OTHERS.tobytes())
    np.testing.assert_array_equal(read[0].rows, ROWS)
    np.testing.assert_array_equal(read[1].rows, OTHERS)
    assert read[1].source == "the variable x" and read[1].is_variable


@pytest.mark.parametrize(
    "changed",
    [
        {"shape": [1 << 40, 12]},
        {"shape": [-1, 12]},
        {"shape": [0, 12]},
        {"shape": [1 << 17] * 6},
        {"shape": [40]},
        {"shape": [40, 12], "bytes": 7},
        {"shape": [41, 3, 4]},
        {"shape": [40, 3.0, 4]},
        {"shape": [MAX_ROWS + 1, 1], "dtype": "uint8", "bytes": MAX_ROWS + 1},
        {"dtype": "object"},
        {"dtype": "complex64"},
        {"dtype": "str"},
        {"dtype": ">f4"},
        {"dtype": "longdouble"},
        {"offset": 4},
        {"offset": -4},
        {"bytes": MAX_BYTES + 1},
        {"source": "trust me"},
        {"total": -1},
        {"extra": 1},
    ],
    ids=str,
)
def test_a_description_that_does_not_fit_is_no_claim(changed: Any, tmp_path: Path) -> None:
    assert left(tmp_path, [entry(ROWS, **changed)], ROWS.tobytes()) == ()


def test_claims_that_share_their_bytes_are_no_claims(tmp_path: Path) -> None:
    assert left(tmp_path, [entry(ROWS), entry(ROWS)], ROWS.tobytes() * 2) == ()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300, -1e300, 2 * LARGEST])
def test_numbers_that_nobody_trains_on_are_no_claim(value: float, tmp_path: Path) -> None:
    rows = ROWS.astype(np.float64)
    rows[-1, -1, -1] = value
    # It does not take the next one with it.
    claims = [entry(rows), entry(OTHERS, rows.nbytes)]
    read = left(tmp_path, claims, rows.tobytes() + OTHERS.tobytes())
    assert [len(claim.rows) for claim in read] == [30]


def test_truth_values_are_but_two(tmp_path: Path) -> None:
    rows = np.full((30, 2), 7, dtype=np.uint8)
    assert left(tmp_path, [entry(rows, dtype="bool")], rows.tobytes()) == ()


def test_files_that_are_none_are_no_claim(tmp_path: Path) -> None:
    assert read_claims(tmp_path / "nowhere") == ()
    assert read_claims(tmp_path) == ()
    for text in (b"", b"{", b"[" * 100_000, b'{"format": 2, "claims": []}', b"\xff"):
        assert left(tmp_path, text, b"") == ()
    many = [entry(OTHERS, number * OTHERS.nbytes) for number in range(MAX_CLAIMS + 1)]
    assert left(tmp_path, many, OTHERS.tobytes() * len(many)) == ()
    assert left(tmp_path, [entry(OTHERS)], OTHERS.tobytes() + b"more") == ()
    assert left(tmp_path, [entry(OTHERS)], OTHERS.tobytes()[:-1]) == ()
    (tmp_path / "claims.bin").unlink()
    os.mkfifo(tmp_path / "claims.bin")
    assert read_claims(tmp_path) == ()
    (tmp_path / "claims.bin").unlink()
    with (tmp_path / "claims.bin").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    assert read_claims(tmp_path) == ()
    (tmp_path / "claims.bin").unlink()
    (tmp_path / "claims.bin").symlink_to("/etc/passwd")
    assert read_claims(tmp_path) == ()
