"""Does a box get Matplotlib's list of fonts, and nothing that is nobody's business?"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import matplotlib
import pytest
from matplotlib.font_manager import FontManager

from autograder.box.fonts import hand_out_fonts

NAME = f"fontlist-v{FontManager.__version__}.json"
LOOK = """
import matplotlib.font_manager as fonts
print(fonts.findfont("DejaVu Sans"), fonts.findfont("Nobody's", fallback_to_default=True))
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder where this user's Matplotlib keeps its lists, with the real one in it."""
    folder = tmp_path / "cache"
    folder.mkdir()
    monkeypatch.setenv("MPLCONFIGDIR", str(folder))
    known = Path(matplotlib.get_cachedir()) / NAME
    (folder / NAME).write_bytes(known.read_bytes())
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The home folder of a box."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


def looks_for_fonts(home: Path, programs: Path) -> bool:
    """Whether Matplotlib asks the system for its fonts when it is imported with that home."""
    asked = programs / "asked"
    programs.mkdir()
    (programs / "fc-list").write_text(f"#!/bin/sh\ntouch {asked}\n")
    (programs / "fc-list").chmod(0o755)
    environment = {"HOME": str(home), "PATH": f"{programs}{os.pathsep}/usr/bin:/bin"}
    subprocess.run([sys.executable, "-c", LOOK], env=environment, check=True, capture_output=True)
    return asked.exists()


def test_matplotlib_takes_the_list_that_it_is_given(
    cache: Path, home: Path, tmp_path: Path
) -> None:
    hand_out_fonts(home, uid=None)
    assert not looks_for_fonts(home, tmp_path / "programs")


def test_without_a_list_matplotlib_looks_itself(cache: Path, home: Path, tmp_path: Path) -> None:
    (cache / NAME).unlink()
    hand_out_fonts(home, uid=None)
    assert list(home.iterdir()) == []
    assert looks_for_fonts(home, tmp_path / "programs")


def test_fonts_of_the_graders_own_are_left_out(cache: Path, home: Path) -> None:
    known: dict[str, Any] = json.loads((cache / NAME).read_text())
    paths = {font["fname"] for font in known["ttflist"]}
    known["ttflist"].append({**known["ttflist"][0], "fname": "/home/ta/.fonts/Secret.ttf"})
    (cache / NAME).write_text(json.dumps(known))
    hand_out_fonts(home, uid=None)
    handed = json.loads((home / ".cache/matplotlib" / NAME).read_text())
    assert {font["fname"] for font in handed["ttflist"]} == paths


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"\xff", b'{"ttflist": [{}]}', b"null"])
def test_a_broken_list_is_no_list(cache: Path, home: Path, content: bytes) -> None:
    (cache / NAME).write_bytes(content)
    hand_out_fonts(home, uid=None)
    assert list(home.iterdir()) == []
