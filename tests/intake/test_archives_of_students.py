"""Zip archives of one student, made to harm; those of a class are in the file beside this one."""

from __future__ import annotations

import contextlib
import io
import random
import stat
import struct
import zipfile
from pathlib import Path

import pytest

from autograder.core.errors import MalformedSubmission
from autograder.intake import MAX_FILE_BYTES, upload
from autograder.intake.upload import Budget, Found, unpack_notebooks


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    made = tmp_path / "scratch"
    made.mkdir()
    return made


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", method) as archive:
        for member, content in members.items():
            archive.writestr(member, content)
    return held.getvalue()


def unpack(folder: Path, content: bytes, scratch: Path) -> list[Found]:
    path = folder / "x.zip"
    path.write_bytes(content)
    return unpack_notebooks(path, scratch, Budget())


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
    [found] = unpack(tmp_path, zipped({name: b"{}"}), scratch)
    assert found.path.resolve().is_relative_to(scratch.resolve())
    assert found.path.read_bytes() == b"{}" and "\x1b" not in found.name
    outside = [path for path in tmp_path.rglob("*.ipynb") if not path.is_relative_to(scratch)]
    assert not outside


def test_links_are_not_made(tmp_path: Path, scratch: Path) -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        info = zipfile.ZipInfo("m5.ipynb")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    assert unpack(tmp_path, held.getvalue(), scratch) == []


ONE = zipped({"m5.ipynb": b"{}"})
TABLE, END = ONE.rindex(b"PK\x01\x02"), ONE.rindex(b"PK\x05\x06")
LOCATOR = struct.pack("<4sLQL", b"PK\x06\x07", 0, 0, 1)
FLAG = 1
"""Of a member that needs a password: in front of it, and in the table of contents."""
REFUSED = {
    "nothing": (b"", "damaged"),
    "two bytes": (b"PK", "damaged"),
    "an empty member": (b"PK\x03\x04" + bytes(100), "damaged"),
    "noise": (random.Random(1).randbytes(2000), "damaged"),
    "a name that is no text": (
        zipped({"ü.ipynb": b"{}"}).replace(b"\xc3\xbc", b"\xff\xff"),
        "damaged",
    ),
    "a table of contents of 64 bits": (ONE[:END] + LOCATOR + ONE[END:], "holds too much"),
    "many notebooks": (zipped({f"{n}.ipynb": b"{}" for n in range(60)}), "holds too much"),
    "a bomb": (zipped({"m5.ipynb": bytes(66 << 20)}), "holds too much"),
    "a password": (
        ONE[:6] + bytes([FLAG]) + ONE[7 : TABLE + 8] + bytes([FLAG]) + ONE[TABLE + 9 :],
        "password",
    ),
    "a method with unbounded memory": (
        zipped({"m5.ipynb": b"{}"}, zipfile.ZIP_LZMA),
        "cannot be read here",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_refused_takes_no_room(tmp_path: Path, scratch: Path, kind: str) -> None:
    content, says = REFUSED[kind]
    with pytest.raises(MalformedSubmission, match=says):
        unpack(tmp_path, content, scratch)
    assert sum(file.stat().st_size for file in scratch.rglob("*.ipynb")) <= MAX_FILE_BYTES


def test_a_bomb_of_many_files_is_stopped(tmp_path: Path, scratch: Path) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(zipped({f"{n}.ipynb": bytes(1 << 20) for n in range(40)}))
    with pytest.raises(MalformedSubmission):
        unpack_notebooks(path, scratch, Budget(bytes=10 << 20))
    assert sum(file.stat().st_size for file in scratch.rglob("*.ipynb")) <= 10 << 20


def test_a_giant_table_of_contents_is_not_read(
    tmp_path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = zipped({f"{number}.txt": b"" for number in range(100)})
    assert unpack(tmp_path, content, scratch) == []
    monkeypatch.setattr(upload, "MAX_DIRECTORY_BYTES", 1000)
    monkeypatch.setattr(zipfile, "ZipFile", lambda *_: pytest.fail("it was read"))
    with pytest.raises(MalformedSubmission, match="holds too much"):
        unpack(tmp_path, content, scratch)


def test_zips_in_zips_are_opened_once(tmp_path: Path, scratch: Path) -> None:
    once = zipped({"0.zip": ONE})
    assert len(unpack(tmp_path, once, scratch)) == 1
    assert unpack(tmp_path, zipped({"1.zip": once}), scratch) == []


def test_names_of_other_bytes_than_utf_8_are_names(tmp_path: Path, scratch: Path) -> None:
    content = zipped({"mmmm5.ipynb": b"{}"}).replace(b"mmmm5", b"\xff\xfe\x80m5")
    assert len(unpack(tmp_path, content, scratch)) == 1


def test_damage_anywhere_is_a_refusal_or_nothing(tmp_path: Path, scratch: Path) -> None:
    content = zipped({"m5.ipynb": b"{}" * 50, "b/c.zip": b"PK"})
    chance = random.Random(5)
    for _ in range(400):
        broken = bytearray(content)
        for _ in range(chance.randint(1, 4)):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        with contextlib.suppress(MalformedSubmission):
            size = chance.choice([len(broken), chance.randrange(len(broken))])
            unpack(tmp_path, bytes(broken[:size]), scratch)
