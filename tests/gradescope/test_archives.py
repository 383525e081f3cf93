"""Zip archives made to harm."""

from __future__ import annotations

import random
import stat
import struct
import zipfile
from pathlib import Path

import pytest

from autograder.core.errors import MalformedSubmission
from autograder.intake import upload
from autograder.intake.upload import Budget, Found, unpack_notebooks


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    made = tmp_path / "scratch"
    made.mkdir()
    return made


def archive_of(folder: Path, members: dict[str, bytes], *, name: str = "x.zip") -> Path:
    path = folder / name
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in members.items():
            archive.writestr(member, content)
    return path


def unpack(path: Path, scratch: Path) -> list[Found]:
    return unpack_notebooks(path, scratch, Budget())


def refusal(path: Path, scratch: Path) -> str:
    with pytest.raises(MalformedSubmission) as caught:
        unpack(path, scratch)
    return str(caught.value)


@pytest.mark.parametrize(
    "name",
    [
        "../../m5.ipynb",
        "/etc/m5.ipynb",
        "..\\..\\m5.ipynb",
        "C:\\m5.ipynb",
        "a/" * 500 + "m5.ipynb",
        "m5\x1b[2J.ipynb",
        "ü" * 300 + ".ipynb",
        "con.ipynb",
    ],
)
def test_no_name_leads_out(tmp_path: Path, scratch: Path, name: str) -> None:
    [found] = unpack(archive_of(tmp_path, {name: b"{}"}), scratch)
    assert found.path.resolve().is_relative_to(scratch.resolve())
    assert found.path.read_bytes() == b"{}" and "\x1b" not in found.name
    outside = [path for path in tmp_path.rglob("*.ipynb") if not path.is_relative_to(scratch)]
    assert not outside


def test_links_are_not_made(tmp_path: Path, scratch: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        info = zipfile.ZipInfo("m5.ipynb")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    assert unpack(path, scratch) == []


def test_a_bomb_is_stopped_while_it_unpacks(
    tmp_path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload, "MAX_FILE_BYTES", 1 << 20)
    path = archive_of(tmp_path, {"m5.ipynb": bytes(50 << 20)})
    assert path.stat().st_size < 1 << 20
    assert "holds too much" in refusal(path, scratch)
    assert sum(file.stat().st_size for file in scratch.rglob("*.ipynb")) < 3 << 20


def test_a_bomb_of_many_files_is_stopped(tmp_path: Path, scratch: Path) -> None:
    path = archive_of(tmp_path, {f"{n}.ipynb": bytes(1 << 20) for n in range(40)})
    with pytest.raises(MalformedSubmission):
        unpack_notebooks(path, scratch, Budget(bytes=10 << 20))
    assert sum(file.stat().st_size for file in scratch.rglob("*.ipynb")) <= 10 << 20


def test_too_many_notebooks(tmp_path: Path, scratch: Path) -> None:
    path = archive_of(tmp_path, {f"{n}.ipynb": b"{}" for n in range(60)})
    assert "holds too much" in refusal(path, scratch)


def test_a_giant_table_of_contents_is_not_read(
    tmp_path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = archive_of(tmp_path, {f"{number}.txt": b"" for number in range(100)})
    assert unpack(path, scratch) == []
    monkeypatch.setattr(upload, "MAX_DIRECTORY_BYTES", 1000)
    monkeypatch.setattr(zipfile, "ZipFile", lambda *_: pytest.fail("it was read"))
    assert "holds too much" in refusal(path, scratch)


def test_a_table_of_contents_of_64_bits_is_not_read(tmp_path: Path, scratch: Path) -> None:
    content = archive_of(tmp_path, {"m5.ipynb": b"{}"}).read_bytes()
    end = content.rindex(b"PK\x05\x06")
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, 0, 1)
    path = tmp_path / "y.zip"
    path.write_bytes(content[:end] + locator + content[end:])
    assert "holds too much" in refusal(path, scratch)


def test_a_password_is_asked_to_be_left_out(tmp_path: Path, scratch: Path) -> None:
    content = bytearray(archive_of(tmp_path, {"m5.ipynb": b"{}"}).read_bytes())
    content[6] |= 1  # general purpose flag of the member itself
    content[content.rindex(b"PK\x01\x02") + 8] |= 1  # and in the table of contents
    path = tmp_path / "y.zip"
    path.write_bytes(content)
    assert "password" in refusal(path, scratch)


def test_a_method_with_unbounded_memory_is_refused(tmp_path: Path, scratch: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("m5.ipynb", b"{}")
    assert "cannot be read here" in refusal(path, scratch)


def test_zips_in_zips_are_opened_once(tmp_path: Path, scratch: Path) -> None:
    path = archive_of(tmp_path, {"m5.ipynb": b"{}"}, name="0.zip")
    for depth in range(1, 6):
        path = archive_of(tmp_path, {f"{depth - 1}.zip": path.read_bytes()}, name=f"{depth}.zip")
    assert unpack(path, scratch) == []
    assert len(unpack(tmp_path / "1.zip", scratch)) == 1


def test_names_that_are_no_text(tmp_path: Path, scratch: Path) -> None:
    content = archive_of(tmp_path, {"mmmm5.ipynb": b"{}", "ü.ipynb": b"{}"}).read_bytes()
    path = tmp_path / "y.zip"
    path.write_bytes(content.replace(b"mmmm5", b"\xff\xfe\x80m5"))
    assert len(unpack(path, scratch)) == 2
    path.write_bytes(content.replace("ü".encode(), b"\xff\xff"))
    assert "damaged" in refusal(path, scratch)


@pytest.mark.parametrize(
    "content",
    [b"", b"PK", b"PK\x03\x04" + bytes(100), random.Random(1).randbytes(2000)],
    ids=["nothing", "two bytes", "an empty member", "noise"],
)
def test_what_is_no_archive(tmp_path: Path, scratch: Path, content: bytes) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(content)
    assert "damaged" in refusal(path, scratch)


def test_damage_anywhere_is_a_refusal_or_nothing(tmp_path: Path, scratch: Path) -> None:
    content = archive_of(tmp_path, {"m5.ipynb": b"{}" * 50, "b/c.zip": b"PK"}).read_bytes()
    path = tmp_path / "y.zip"
    chance = random.Random(5)
    for _ in range(400):
        broken = bytearray(content)
        for _ in range(chance.randint(1, 4)):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        path.write_bytes(broken[: chance.choice([len(broken), chance.randrange(len(broken))])])
        try:
            unpack(path, scratch)
        except MalformedSubmission:
            continue
