"""evidence.json and scores.npz: what a submission is judged by, kept in its folder.

Both are read with bounds, as anything that a student wrote. The hashes in them find accidents, such
as a file that was cut or belongs to another one, not forgery: who may write the folder may write
the grades as well.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np

from autograder.batch.versions import gathering_version, reading_version
from autograder.core.assignment import Assignment
from autograder.core.config import Limits, Record, Verification
from autograder.core.files import NotPlain, TooLarge, opened_folder, read_plain_file
from autograder.core.report import Report
from autograder.grading.evidence import Evidence, NeedsNewRun, decode_evidence
from autograder.intake import Handin
from autograder.network import CLASSES
from autograder.reports.files import EVIDENCE_NAME, SCORES_NAME

MAX_EVIDENCE_BYTES = 96 << 20
"""The clean notebook is most of it, and a notebook may have 64 MiB."""
MAX_SCORES_BYTES = 8 << 20
"""Ten thousand images of ten scores take 0.4 MB in each of 11 runs."""
HEADER_BYTES = 128
"""Of an array as NumPy writes it."""
Scores = Sequence["np.ndarray[Any, np.dtype[np.float32]] | None"]


class BadEvidence(NeedsNewRun):
    """There is no evidence, or none that can be used; the text says why, without a full stop."""


class Origin(Record, frozen=True):
    """What a run depends on, beside the notebook."""

    assignment: str
    gathering: str
    """Version of the code that runs and measures, and of what it computes with."""
    limits: Limits
    verification: Verification

    @classmethod
    def of(cls, assignment: Assignment) -> Origin:
        """That of a run which began now."""
        config = assignment.config
        return cls(
            assignment=config.assignment.id,
            gathering=gathering_version(),
            limits=config.limits,
            verification=config.verification,
        )

    def refuse_other(self, other: Origin) -> None:
        """Compare what is kept with what would be run now.

        Raises
        ------
        NeedsNewRun
            If a run could come out otherwise.
        """
        if self.assignment != other.assignment:
            raise BadEvidence(f"it was found for another assignment, {self.assignment}")
        for name in ("limits", "verification"):
            then, now = getattr(self, name), getattr(other, name)
            changed = [key for key in then.__struct_fields__ if _differ(then, now, key)]
            if changed:
                raise NeedsNewRun(
                    f"{name}.{changed[0]} was {getattr(then, changed[0])} when it was run, and is "
                    f"{getattr(now, changed[0])} now"
                )
        if self.gathering != other.gathering:
            raise NeedsNewRun("it was run by another version of the grader, or of its packages")


def _differ(then: Any, now: Any, key: str) -> bool:
    return bool(getattr(then, key) != getattr(now, key))


class Filed(Record, frozen=True):
    """What evidence.json holds."""

    origin: Origin
    reading: str
    """Version of the code that judges reflections."""
    handin: Handin
    answer_hash: str
    scores: str
    """SHA-256 of scores.npz; empty where there is none."""
    evidence: msgspec.Raw

    def of(self, handin: Handin) -> Filed:
        """The same, handed in by these."""
        # Where it lay on somebody's computer is nobody else's business.
        return msgspec.structs.replace(self, handin=replace(handin, path=Path()))


class _Sealed(Record, frozen=True):
    format: Literal[1]
    sha256: str
    filed: msgspec.Raw


def seal(filed: Filed) -> bytes:
    """What evidence.json holds."""
    content = msgspec.json.encode(filed, enc_hook=str)
    return msgspec.json.encode(
        _Sealed(format=1, sha256=digest(content), filed=msgspec.Raw(content))
    )


def with_handin(report: Report, handin: Handin) -> Report:
    """A report that was just made, with what is known of how the submission was handed in."""
    return msgspec.structs.replace(
        told_of(report, handin),
        submission=handin.submission,
        name=handin.name,
        email=handin.email,
        notes=[*handin.notes, *report.notes],
        staff_notes=[*report.staff_notes, *handin.staff_notes],
    )


def told_of(report: Report, handin: Handin) -> Report:
    """The report with what the export tells, as it is today."""
    return msgspec.structs.replace(
        report,
        students=list(handin.students),
        submission_id=handin.submission_id,
        handed_in=handin.handed_in,
        late=handin.late,
        feedback_name=handin.feedback_name,
    )


def read_filed(folder: Path) -> tuple[Filed, bytes]:
    """What lies in a submission's folder: evidence.json, and the bytes of scores.npz.

    Raises
    ------
    BadEvidence
        If there is none, or it is damaged, or of another submission.
    """
    try:
        with opened_folder(folder) as directory:
            sealed = msgspec.json.decode(
                _read(directory, EVIDENCE_NAME, MAX_EVIDENCE_BYTES), type=_Sealed
            )
            if digest(bytes(sealed.filed)) != sealed.sha256:
                raise BadEvidence(f"{EVIDENCE_NAME} is damaged: its content has another hash")
            filed = msgspec.json.decode(sealed.filed, type=Filed, dec_hook=_as_path)
            scores = _read(directory, SCORES_NAME, MAX_SCORES_BYTES) if filed.scores else b""
    except OSError as error:
        raise BadEvidence(f"its folder cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise BadEvidence(f"{EVIDENCE_NAME} is not what this grader writes ({error})") from error
    if scores and digest(scores) != filed.scores:
        raise BadEvidence(f"{SCORES_NAME} does not belong to {EVIDENCE_NAME}, or is damaged")
    if filed.handin.submission != folder.name:
        raise BadEvidence(f"{EVIDENCE_NAME} is of another submission")
    return filed, scores


def open_filed(filed: Filed, scores: bytes, *, origin: Origin) -> tuple[Evidence, Scores]:
    """The evidence that `read_filed` found, to be judged now.

    Raises
    ------
    NeedsNewRun
        If a run could come out otherwise today, or it cannot be read.
    """
    filed.origin.refuse_other(origin)
    try:
        evidence = decode_evidence(filed.evidence)
        arrays = unpack_scores(scores, evidence)
    except (ValueError, RecursionError, OSError, zipfile.BadZipFile, KeyError) as error:
        raise BadEvidence(f"its evidence is not what this grader writes ({error})") from error
    if filed.reading != reading_version():
        evidence = msgspec.structs.replace(evidence, reflections=None)
    return evidence, arrays


def pack_scores(scores: Scores) -> bytes:
    """What scores.npz holds: an array for each run that has a network; empty for none."""
    arrays = {f"run_{place}": each for place, each in enumerate(scores) if each is not None}
    if not arrays:
        return b""
    file = io.BytesIO()
    # Not compressed: that takes a twentieth off, and each later judgement longer than all the rest.
    np.savez(file, allow_pickle=False, **arrays)
    return file.getvalue()


def unpack_scores(content: bytes, evidence: Evidence) -> Scores:
    """The class scores of each run; None where nothing was measured.

    Raises
    ------
    ValueError, KeyError, OSError, BadZipFile
        If it holds anything else than an array for each run, of the size that its measurement says.
    """
    if not content:
        if any(run.measured for run in evidence.attempts):
            raise ValueError("there are no class scores")
        return [None] * len(evidence.attempts)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return [
            None if run.measured is None
            else _unpack(archive, f"run_{place}.npy", run.measured.counted_images)
            for place, run in enumerate(evidence.attempts)
        ]  # fmt: skip


def _unpack(archive: zipfile.ZipFile, name: str, rows: int) -> Any:
    size = rows * CLASSES * np.dtype(np.float32).itemsize
    # Looked at before anything is unpacked: an archive may say that it holds far more.
    if archive.getinfo(name).file_size != HEADER_BYTES + size:
        raise ValueError(f"{name} is not of the size that was measured")
    content = io.BytesIO(archive.read(name))
    version = np.lib.format.read_magic(content)
    header = np.lib.format.read_array_header_1_0(content) if version == (1, 0) else None
    if header != ((rows, CLASSES), False, np.dtype("<f4")):
        raise ValueError(f"{name} does not hold ten scores for each image")
    return np.frombuffer(content.read(), np.float32).reshape(rows, CLASSES)


def _read(directory: int, name: str, limit: int) -> bytes:
    try:
        return read_plain_file(directory, name, max_bytes=limit)
    except FileNotFoundError as error:
        raise BadEvidence(f"there is no {name}") from error
    except TooLarge as error:
        raise BadEvidence(f"{name} is larger than anything that the grader writes") from error
    except NotPlain as error:
        raise BadEvidence(str(error)) from error


def _as_path(wanted: type, value: Any) -> Path:
    if wanted is not Path or not isinstance(value, str):
        raise ValueError(f"no {wanted}")
    return Path(value)


def digest(content: bytes) -> str:
    """SHA-256, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()
