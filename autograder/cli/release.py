"""`m5 release`: from the assignment's source to what is handed out."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from autograder.cli.common import examples, explained, root_option, say
from autograder.core.errors import ExitStatus


@click.command(epilog=examples("m5 release", "m5 release --check --prove"))
@root_option
@click.option("--check", is_flag=True, help="Change nothing; say whether the release is current.")
@click.option(
    "--prove", is_flag=True,
    help="Grade the starter and the reference as well: minutes, where --check takes seconds.",
)  # fmt: skip
@click.option(
    "--data", is_flag=True,
    help="Write dist/data as well: MNIST, for a class without internet, and its terms.",
)  # fmt: skip
@explained
def release(root: Path | None, check: bool, prove: bool, data: bool) -> int:
    """Make what students get, the solutions, and the autograder to upload to Gradescope.

    Refuses an assignment that nobody can pass, or that the starter passes, as far as that can be
    told without training.

    Exit status: 0 done, 1 the release that is there is not in order (--check) or the proof failed
    (--prove), 2 refused; else as `m5 grade`.
    """
    from autograder.core.assignment import find_root
    from autograder.release import check_release, hand_out_data
    from autograder.release import release as make_release
    from autograder.release.bundle import BUNDLE_PATH, write_bundle

    root = root or find_root(Path.cwd())
    if check:
        found = check_release(root)
        for problem in found.problems:
            say(problem, color="red", err=True)
        for remark in found.remarks:
            say(remark, color="yellow", err=True)
        if found.problems:
            say(
                "The release is not in order: put that right, run `m5 release`, look, and commit.",
                err=True,
            )
            return ExitStatus.NOT_ALL_GRADED
        say("The release is current, can be passed, and gives nothing away.")
        return _prove(root) if prove else ExitStatus.GRADED
    summary = make_release(root, believe_measured=not prove)
    for path in summary.files:
        say(f"wrote {path}")
    size = write_bundle(root).stat().st_size
    say(f"wrote {BUNDLE_PATH} ({size / 1e6:.1f} MB), to be uploaded to Gradescope")
    if data:
        for path in hand_out_data(root):
            say(f"wrote {path}, to be handed out beside the notebook")
    for remark in summary.remarks:
        say(remark, color="yellow", err=True)
    return _prove(root) if prove else ExitStatus.GRADED


def _prove(root: Path) -> int:
    """Grade the starter and the reference of the release in `root`, and say what came of it."""
    from autograder.batch.grading import grade_batch
    from autograder.batch.terminal import TerminalProgress
    from autograder.core.assignment import load_assignment
    from autograder.release.expectations import NOTEBOOKS, judge_proof, read_expectations
    from autograder.reports.folder import ResultsFolder

    assignment = load_assignment(root)
    say("Grading the starter and the reference: some minutes.")
    with tempfile.TemporaryDirectory(prefix="m5-prove-") as folder, TerminalProgress() as progress:
        done = grade_batch(
            [root / path for path in NOTEBOOKS.values()],
            assignment=assignment,
            results=ResultsFolder(Path(folder), overwrite=False),
            progress=progress,
        )
    proof = judge_proof(done.rows, assignment.config, read_expectations(root))
    for sentence in proof.measured:
        say(sentence)
    for remark in proof.remarks:
        say(remark, color="yellow", err=True)
    for problem in proof.problems:
        say(problem, color="red", err=True)
    if proof.problems:
        say("Not proved: do not hand this release out.", color="red", err=True)
        return ExitStatus.OUR_FAULT if proof.grader_failed else ExitStatus.NOT_ALL_GRADED
    say("Proved: the reference passes, and the starter does not.")
    return ExitStatus.GRADED
