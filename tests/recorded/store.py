"""How recordings lie on disk: as text where it is text, compressed where it is numbers."""

from __future__ import annotations

import json
import lzma
import re
import shutil
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
COURSE = HERE / "course"
SUBMISSIONS = HERE / "submissions"
RUNS = HERE / "runs"
EXPECTED = HERE / "expected"
RUN = "run.json"
XZ = ".xz"
DATE = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d[.\d]*|(?<=[EWI]0000 00:00:)[\d. ]+")
CLOCK = re.compile(r"\d+(?:\.\d+)?(?:s|ms|us|μs)(?=/step|\x1b| |$)")
PLACE = re.compile(r"/tmp/[\w./-]+|/[\w./-]+(?=/site-packages/)")


def save(name: str, shift: int, execution: dict[str, Any], export: Path) -> None:
    """Keep one run of a submission; seconds and bytes of memory are made up, so that they stay.

    Parameters
    ----------
    execution
        With the executed notebook; of it only the outputs are kept.
    export
        The folder that the box handed out.
    """
    folder = RUNS / name / str(shift)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    told = _steady(execution)
    cells = [cell for cell in told.pop("notebook")["cells"] if cell["cell_type"] == "code"]
    told["outputs"] = [cell.get("outputs", []) for cell in cells]
    _write_json(folder / RUN, told)
    for path in sorted(export.iterdir()):
        if path.is_file() and not path.is_symlink():
            _keep(path, folder / path.name)


def load(name: str, shift: int, notebook: Any, export: Path) -> dict[str, Any]:
    """Hand one run out again: the export into a folder, and how the cells of `notebook` ended."""
    folder = RUNS / name / str(shift)
    told: dict[str, Any] = json.loads((folder / RUN).read_bytes())
    for path in folder.iterdir():
        if path.suffix == XZ:
            (export / path.stem).write_bytes(lzma.decompress(path.read_bytes()))
        elif path.name != RUN:
            shutil.copyfile(path, export / path.name)
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    for number, (cell, outputs) in enumerate(zip(cells, told.pop("outputs"), strict=True), 1):
        ran = told["cells"][number - 1]["status"] != "not run"
        cell["outputs"], cell["execution_count"] = outputs, number if ran else None
    return {**told, "notebook": notebook}


def _steady(execution: dict[str, Any]) -> dict[str, Any]:
    """The same without what differs between two runs of one notebook."""
    told: dict[str, Any] = json.loads(PLACE.sub("/tmp/box", json.dumps(execution)))
    for cell in told["cells"]:
        late = cell["status"] == "timed out"
        cell["seconds"] = round(cell["seconds"]) if late else cell["number"] / 4
    told["seconds"] = sum(cell["seconds"] for cell in told["cells"])
    told["peak_bytes"] = 1 << 30
    told["stderr"] = [DATE.sub("then", line) for line in told["stderr"]]
    for cell in told["notebook"]["cells"]:
        for output in cell.get("outputs", ()):
            if isinstance(output.get("text"), str):
                output["text"] = CLOCK.sub("1s", output["text"])
    return told


def _keep(path: Path, target: Path) -> None:
    content = path.read_bytes()
    if path.suffix == ".json":
        try:
            _write_json(target, json.loads(content))
        except (ValueError, RecursionError):
            target.write_bytes(content)
    else:
        packed = lzma.compress(content, preset=9 | lzma.PRESET_EXTREME)
        target.with_name(target.name + XZ).write_bytes(packed)


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
