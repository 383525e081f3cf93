"""Does a box get Matplotlib's list of fonts, and nothing that is nobody's business?"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import matplotlib
import pytest
from matplotlib.font_manager import FontManager

from autograder.sandbox.box.fonts import known_fonts

INSIDE = Path(__file__).parents[2] / "autograder/sandbox/inside"
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


def looks_for_fonts(folder: Path) -> bool:
    """Whether Matplotlib asks the system for its fonts in a home that was given the lists."""
    toolbox, home, programs = (folder / name for name in ("toolbox", "home", "programs"))
    for place in (toolbox, home, programs):
        place.mkdir()
    shutil.copy(INSIDE / "fonts.py", toolbox)
    for name, content in known_fonts().items():
        (toolbox / name).write_text(content)
    asked = programs / "asked"
    (programs / "fc-list").write_text(f"#!/bin/sh\ntouch {asked}\n")
    (programs / "fc-list").chmod(0o755)
    environment = {"HOME": str(home), "PATH": f"{programs}{os.pathsep}/usr/bin:/bin"}
    look = f"import runpy; runpy.run_path({str(toolbox / 'fonts.py')!r}){LOOK}"
    subprocess.run([sys.executable, "-c", look], env=environment, check=True, capture_output=True)
    return asked.exists()


def test_matplotlib_takes_the_list_that_it_is_given(cache: Path, tmp_path: Path) -> None:
    assert not looks_for_fonts(tmp_path)


def test_without_a_list_matplotlib_looks_itself(cache: Path, tmp_path: Path) -> None:
    (cache / NAME).unlink()
    assert known_fonts() == {}
    assert looks_for_fonts(tmp_path)


def test_fonts_of_the_graders_own_are_left_out(cache: Path) -> None:
    known: dict[str, Any] = json.loads((cache / NAME).read_text())
    paths = {font["fname"] for font in known["ttflist"]}
    known["ttflist"].append({**known["ttflist"][0], "fname": "/home/ta/.fonts/Secret.ttf"})
    (cache / NAME).write_text(json.dumps(known))
    handed = json.loads(known_fonts()[NAME])
    assert {font["fname"] for font in handed["ttflist"]} == paths


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"\xff", b'{"ttflist": [{}]}', b"null"])
def test_a_broken_list_is_no_list(cache: Path, content: bytes) -> None:
    (cache / NAME).write_bytes(content)
    assert known_fonts() == {}
