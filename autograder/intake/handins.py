"""What an export says about one submission: whose it is, and which of several it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from autograder.intake.candidates import Candidate
from autograder.intake.uploads import find_upload

MAX_LISTED = 5
"""Earlier submissions that are named in a note."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Student:
    """Somebody to whom the grade belongs; what an export does not tell is empty."""

    name: str = ""
    email: str = ""
    sid: str = ""
    """The university's number."""
    canvas_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handin:
    """A candidate, and whose it is."""

    candidate: Candidate
    students: tuple[Student, ...] = ()
    gradescope_id: str = ""
    notes: tuple[str, ...] = ()
    """Sentences for the student."""
    staff_notes: tuple[str, ...] = ()

    @property
    def submission(self) -> str:
        """Name of its results folder."""
        return self.candidate.submission


@dataclass(frozen=True, slots=True, kw_only=True)
class Find:
    """A folder that a student handed in, as an export's layout shows it."""

    label: str
    """What the export calls it: wanted as the name of the results folder."""
    folder: Path | None
    """None where the export lists a submission and lacks it."""
    students: tuple[Student, ...] = ()
    gradescope_id: str = ""
    when: str = ""
    """Sorts by time; empty where it is not known."""
    staff_notes: tuple[str, ...] = ()

    @property
    def owner(self) -> str:
        """Whose it is; two of the same owner are one student's attempts."""
        ids = sorted(s.sid or s.email or s.canvas_id for s in self.students)
        # Two students may well have the same name: by that alone nobody is recognised.
        return "\n".join(ids) if ids and all(ids) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """What a folder holds that has the layout of an export."""

    system: str
    """Gradescope, Canvas or nbgrader."""
    finds: tuple[Find, ...]
    covered: tuple[Path, ...]
    """Files and folders of which the export makes use; whatever else lies there is not its own."""
    warnings: tuple[str, ...] = ()


def latest_only(finds: Sequence[Find]) -> list[Find]:
    """Of several submissions of the same student the latest, with a note that lists the others."""
    by_owner: dict[str, list[int]] = {}
    for number, find in enumerate(finds):
        by_owner.setdefault(find.owner or f"\0{number}", []).append(number)
    kept: dict[int, Find] = {}
    for group in by_owner.values():
        # As an export lists them, where it does not say when they were handed in.
        *earlier, number = sorted(group, key=lambda number: (finds[number].when, number))
        last = finds[number]
        if earlier:
            labels = [finds[number].label for number in reversed(earlier[-MAX_LISTED:])]
            more = f" and {len(earlier) - MAX_LISTED} more" if len(earlier) > MAX_LISTED else ""
            note = (
                f"The latest of {len(earlier) + 1} submissions; not graded: "
                f"{', '.join(labels)}{more}."
            )
            last = replace(last, staff_notes=(*last.staff_notes, note))
        kept[number] = last
    return [kept[number] for number in sorted(kept)]


def handin_of(find: Find, *, scratch: Path, assignment_id: str) -> Handin:
    """Look for the one notebook in what a student handed in.

    Parameters
    ----------
    scratch
        An empty folder for what is in archives; must outlive the result.
    """
    name = ", ".join(student.name for student in find.students if student.name)
    email = ", ".join(student.email for student in find.students if student.email)
    notes: tuple[str, ...] = ()
    if find.folder is None:
        candidate = Candidate(
            submission=find.label,
            path=Path(find.label),
            name=name,
            email=email,
            refusal="The export lists this submission, but its folder is not there.",
            is_missing=True,
        )
    else:
        upload = find_upload(
            find.folder,
            scratch=scratch,
            assignment_id=assignment_id,
            submission=find.label,
            name=name,
            email=email,
        )
        candidate, notes = upload.candidate, upload.notes
    return Handin(
        candidate=candidate,
        students=find.students,
        gradescope_id=find.gradescope_id,
        notes=notes,
        staff_notes=find.staff_notes,
    )
