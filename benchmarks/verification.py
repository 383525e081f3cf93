"""Which share of honest networks is measured as it was trained: ``make verification``.

``python -m benchmarks.verification`` grades a notebook for each way to prepare the images and for
each way to build a network with ``m5 grade``, compares the accuracy on the public half of the test
images with the one that the notebook itself computed on them, and writes ``docs/verification.md``.
Stopped, it goes on where it was: what is known about these very notebooks by this very grader
stands in ``docs/verification.jsonl``. Some ten minutes on two cores that nobody else uses.
"""

from __future__ import annotations

import argparse
import datetime
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from autograder.batch.versions import grader_version
from benchmarks.bench import program
from benchmarks.machine import describe
from benchmarks.measuring import BenchmarkError
from benchmarks.verification_cases import Case, cases

ROOT = Path(__file__).resolve().parent.parent
CLOSE = 0.005
"""Measured as trained: not further than this from the notebook's own accuracy."""
AT_A_TIME = 16
"""Notebooks of one call of ``m5 grade``: what is lost where the benchmark is stopped."""
TIMEOUT_SECONDS = 240
OWN = re.compile(r"own accuracy: ([0-9.]+)")


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one case; a line of the file beside the page.

    Attributes
    ----------
    own
        Accuracy as the notebook computed it; None if it did not get that far.
    measured
        The grader's, on the same images; None if it refused to measure.
    preparation, proved_by
        In the grader's words; nothing proved it where `proved_by` is empty.
    why
        What the feedback says where nothing was measured.
    """

    key: str
    grader: str
    own: float | None
    measured: float | None
    preparation: str = ""
    proved_by: str = ""
    why: str = ""

    @property
    def is_as_trained(self) -> bool:
        """Whether both are the same, but for single images."""
        known = self.own is not None and self.measured is not None
        return known and abs(self.own - self.measured) < CLOSE  # type: ignore[operator]


def grade(some: Sequence[Case], folder: Path, grader: str) -> list[Line]:
    """Grade them in one call of the command, as a TA does."""
    handed_in, graded = folder / "notebooks", folder / "graded"
    handed_in.mkdir()
    for number, case in enumerate(some):
        (handed_in / f"case_{number:03}.ipynb").write_text(case.notebook, encoding="utf-8")
    command = [program("m5"), "grade", str(handed_in), "-o", str(graded), "--root", str(ROOT)]
    done = subprocess.run(
        [*command, "--timeout", str(TIMEOUT_SECONDS)],
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_SECONDS * (1 + len(some)),
    )
    places = sorted((graded / "submissions").glob("*")) if graded.exists() else []
    if len(places) != len(some):
        raise BenchmarkError(f"m5 grade gave {len(places)} of {len(some)}: {done.stderr[-2000:]}")
    return [_line(case, place, grader) for case, place in zip(some, places, strict=True)]


def _line(case: Case, place: Path, grader: str) -> Line:
    report = json.loads((place / "report.json").read_text(encoding="utf-8"))
    if report["verdict"] == "GRADER_ERROR":
        raise BenchmarkError(f"{case.name}: the grader failed: {report['staff_notes']}")
    own = OWN.search((place / "executed.ipynb").read_text(encoding="utf-8"))
    network: dict[str, Any] = report["network"] or {}
    failed = [cell["error"] for cell in report["cells"] if cell["error"]]
    accuracy = next(check for check in report["checks"] if check["name"] == "accuracy")
    why = failed[0] if failed else accuracy["reason"]
    return Line(
        key=case.key,
        grader=grader,
        own=float(own[1]) if own else None,
        measured=network.get("public_accuracy"),
        preparation=network.get("preparation", ""),
        proved_by=network.get("preparation_proved_by", ""),
        why="" if network else " ".join(why.split()),
    )


def known(path: Path, grader: str) -> dict[str, Line]:
    """What this grader is known to have done, by the notebook's hash."""
    if not path.exists():
        return {}
    lines = [
        msgspec.json.decode(line, type=Line) for line in path.read_bytes().splitlines() if line
    ]
    return {line.key: line for line in lines if line.grader == grader}


def run(some: Sequence[Case], folder: Path) -> dict[str, Line]:
    """What came of each case: from the file, or else graded now and added to it.

    After each part the page is written anew.
    """
    grader, path = grader_version(), folder / "verification.jsonl"
    done = known(path, grader)
    # What other graders did, or these notebooks before they were changed, is not kept.
    done = {case.key: done[case.key] for case in some if case.key in done}
    path.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in done.values()))
    left = [case for case in some if case.key not in done]
    for start in range(0, len(left), AT_A_TIME):
        print(f"{len(done)} of {len(some)} cases are known", flush=True)
        place = Path(tempfile.mkdtemp(prefix="m5-verification-"))
        try:
            lines = grade(left[start : start + AT_A_TIME], place, grader)
        finally:
            shutil.rmtree(place, ignore_errors=True)
        with path.open("ab") as file:
            file.write(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
        done |= {line.key: line for line in lines}
        (folder / "verification.md").write_text(page(some, done), encoding="utf-8")
    return done


def page(some: Sequence[Case], done: Mapping[str, Line]) -> str:
    """What ``docs/verification.md`` says about the cases that are known."""
    of = len(some)
    some = [case for case in some if case.key in done]
    machine, groups = describe(), dict.fromkeys(case.group for case in some)
    # A notebook that failed by itself says nothing about the grader.
    ran = [case for case in some if done[case.key].own is not None]
    versions = ", ".join(
        f"{name} {machine.packages[name]}" for name in ("keras", "tensorflow", "numpy")
    )
    lines = [
        "# Which networks are measured as they were trained",
        "",
        f"Made by `make verification` on {datetime.date.today()}, with Python {machine.python}, "
        f"{versions}, by the grader whose version begins with `{grader_version()[:12]}` (a hash of "
        "all that decides grades). It goes on where it was stopped; the numbers are in "
        "`verification.jsonl`."
        + ("" if len(some) == of else f" **It was stopped: {len(some)} of {of} cases are here.**"),
        "",
        "Each case is an honest notebook that `m5 grade` runs, as it runs any other. *Own* is the "
        "accuracy that the notebook itself computes in its last cell, on the 5,000 test images "
        "that it has; *measured* is the grader's on the same images. A network is measured as it "
        f"was trained where the two are less than {CLOSE} apart. Preparations are tried with one "
        "hidden layer of 32 units, one epoch; networks with 6,000 images, two epochs. "
        "`benchmarks/preparations.py` and `benchmarks/architectures.py` have their code.",
        "",
        "| group | cases | measured as trained | preparation proved |",
        "|---|---|---|---|",
    ]
    for title, prefix in [(name, name) for name in groups] + [
        ("**all preparations**", "Preparation"),
        ("**all networks**", "Network"),
        ("**all**", ""),
    ]:
        found = [done[case.key] for case in ran if case.group.startswith(prefix)]
        if found:
            good = sum(line.is_as_trained for line in found)
            proved = sum(bool(line.proved_by) for line in found)
            lines.append(
                f"| {title} | {len(found)} | {good} ({good / len(found):.0%}) | {proved} |"
            )
    lines += ["", "## Not measured as trained", ""]
    others = [case for case in ran if not done[case.key].is_as_trained]
    lines += [_told(case, done[case.key]) for case in others] or ["None."]
    failed = [case for case in some if done[case.key].own is None]
    if failed:
        lines += ["", "## Did not run, and are not counted", ""]
        lines += [f"* {case.group}, {case.name}: {done[case.key].why}" for case in failed]
    for group in groups:
        lines += ["", f"## {group}", "", "| case | own | measured | preparation | proved by |"]
        lines += ["|---|---|---|---|---|"]
        lines += [_row(case, done[case.key]) for case in some if case.group == group]
    return "\n".join(lines) + "\n"


def _told(case: Case, line: Line) -> str:
    why = line.why or (
        f"measured with *{line.preparation}*, "
        + (f"as {line.proved_by} shows" if line.proved_by else "which nothing proves")
    )
    return f"* {case.group}, {case.name}: {_number(line.own)}, {_number(line.measured)}; {why}"


def _row(case: Case, line: Line) -> str:
    cells = (case.name, _number(line.own), _number(line.measured), line.preparation, line.proved_by)
    return "| " + " | ".join(cell.replace("|", "\\|") or "-" for cell in cells) + " |"


def _number(accuracy: float | None) -> str:
    return "-" if accuracy is None else f"{accuracy:.4f}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Grade what is not known yet, and write the page."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.verification", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--quick", action="store_true", help="one case of each group")
    parser.add_argument(
        "-o", "--output", type=Path, default=ROOT / "docs", help="folder to write to  [docs]"
    )
    options = parser.parse_args(arguments)
    if options.quick and options.output.resolve() == ROOT / "docs":
        parser.error("docs is for all cases: name another folder by -o.")
    some = cases()
    if options.quick:
        some = list({case.group: case for case in some}.values())
    options.output.mkdir(parents=True, exist_ok=True)
    done = run(some, options.output)
    (options.output / "verification.md").write_text(page(some, done), encoding="utf-8")
    good = sum(line.is_as_trained for line in done.values())
    print(f"{good} of {len(some)} measured as trained: {options.output / 'verification.md'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
