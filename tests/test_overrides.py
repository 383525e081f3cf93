"""Are marks that people give read as they meant them, and the rest refused by file and line?"""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.core.config import CHECK_NAMES, PointsConfig
from autograder.core.errors import UsageError
from autograder.core.report import Override, Student
from autograder.core.text import one_line
from autograder.intake import Handin
from autograder.reports.overrides import (
    MAX_COMMENT_CHARACTERS,
    Mark,
    Overrides,
    read_overrides,
    write_overrides,
)
from autograder.reports.spreadsheets import MAX_BYTES, plain_cell, unguarded
from tests.rules import RULES

POINTS = PointsConfig(**RULES["points"])
ANN = Student(name="Ann Müller", email="ann@example.edu", sid="0071")
OTHER_ANN = Student(name="Ann Müller", email="other.ann@example.edu", sid="0072")
GROUP = (Student(name="李 小龍", sid="0073"), Student(name="=Zoë", canvas_id="12"))
CLASS = [
    Handin(submission="submission_1", path=Path("1"), students=(ANN,)),
    Handin(submission="submission_2", path=Path("2"), students=(OTHER_ANN,)),
    Handin(submission="submission_3", path=Path("3"), students=GROUP),
    Handin(submission="unnamed", path=Path("4")),
    Handin(submission="0042", path=Path("5")),
]
HEAD = "submission,student,check,points,comment\n"
Given = dict[tuple[str, str], tuple[float, str]]


def read(folder: Path, *contents: str | bytes) -> Given:
    """What comes of files with these contents, a.csv, b.csv and so on."""
    paths = []
    for name, content in zip("abc", contents, strict=False):
        paths.append(folder / f"{name}.csv")
        paths[-1].write_bytes(content.encode() if isinstance(content, str) else content)
    marks = read_overrides(paths, gradable=CLASS, points=POINTS).marks
    return {key: (mark.override.points, mark.override.comment) for key, mark in marks.items()}


@pytest.mark.parametrize(
    "content",
    [
        HEAD + "submission_1,,runs,7.5,good\n",
        HEAD + ",ann@example.edu,runs,7.5,good\n",
        "student,check,points,comment\n71,runs,7.5,good\n",
        "student,check,points,comment\n0071,runs,7.50,good",
        HEAD + "submission_1,ann  MÜLLER,points_runs,7.5,good\n",
        HEAD + "submission_1,,Runs,+7.5, good \n\n,,,,\n",
        "\ufeff" + HEAD.replace(",", ";") + 'submission_1;;runs;7,5;"good"\r\n;;;;\r\n',
        HEAD.replace(",", "\t") + "submission_1\t\truns\t7,5\tgood\n",
        "Comment;Points;Check;Submission;;\ngood;'7,5;'runs;'submission_1;;\n",
        HEAD.replace("\n", "\r") + "submission_1,,runs,7.5,good\r",
        HEAD + "submission_1,,runs,7.5,good\nsubmission_1,,runs,7.5,good\n",
    ],
)
def test_what_spreadsheets_write_is_read(tmp_path: Path, content: str) -> None:
    assert read(tmp_path, content) == {("submission_1", "runs"): (7.5, "good")}


@pytest.mark.parametrize(
    ("student", "submission"),
    [
        ("OTHER.ANN@example.edu", "submission_2"),
        ("小龍", ""),
        ("李 小龍", "submission_3"),
        ("李 小龍, =Zoë", "submission_3"),
        ("'=Zoë", "submission_3"),
        ("12", "submission_3"),
    ],
)
def test_a_student_is_known_by_name_mail_and_ids(
    tmp_path: Path, student: str, submission: str
) -> None:
    content = f'student,check,points\n"{student}",budget,1\n'
    if submission:
        assert list(read(tmp_path, content)) == [(submission, "budget")]
    else:
        with pytest.raises(UsageError, match="no student"):
            read(tmp_path, content)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (",nobody,runs,1,", "no student “nobody”"),
        (",Ann Müller,runs,1,", "any of submission_1, submission_2"),
        ("submission_9,,runs,1,", "no submission “submission_9”"),
        ("submission_1,other.ann@example.edu,runs,1,", "is of Ann Müller, not of"),
        (",,runs,1,", "neither a submission nor a student"),
        ("submission_1,,style,1,", "no check “style”"),
        ("submission_1,,,1,", "no check “”"),
        ("submission_1,,runs,,", "has no points"),
        ("submission_1,,runs,10.01,", "more than the 10 that runs is worth"),
        ("submission_1,,runs,-1,", "“-1” is not a number from 0 to 10"),
        ("submission_1,,runs,nan,", "“nan” is not a number"),
        ("submission_1,,runs,inf,", "“inf” is not a number"),
        ("submission_1,,runs,1e1,", "“1e1” is not a number"),
        ("submission_1,,runs,٣,", "is not a number"),
        ("submission_1,,runs,+,", "is not a number"),
        ("submission_1,,runs,5.,", "is not a number"),
        ('submission_1,,accuracy,"1,000",', "at most two decimals"),
        ("submission_1,,runs,0.125,", "at most two decimals"),
        ("submission_1,,runs,1.May,", "is not a number"),
        ("submission_1,,runs,1,good, but late", "more cells than there are headings"),
        pytest.param(
            f"submission_1,,runs,1,{'x' * (MAX_COMMENT_CHARACTERS + 1)}",
            "2,001 characters",
            id="long comment",
        ),
    ],
)
def test_a_row_that_is_wrong_is_named(tmp_path: Path, row: str, says: str) -> None:
    """All that is right beside it is not taken either: half a file would look like a whole one."""
    with pytest.raises(UsageError) as caught:
        read(tmp_path, f"{HEAD}submission_2,,runs,1,\n\n{row}\n")
    assert f"{tmp_path}/a.csv, line 4: " in str(caught.value)
    assert says in str(caught.value)


def test_what_stands_under_no_heading_is_not_dropped(tmp_path: Path) -> None:
    """Columns that a spreadsheet left empty behind the last one would take half of a comment."""
    with pytest.raises(UsageError, match=r"a\.csv, line 2: has more cells than there are headings"):
        read(tmp_path, "submission;check;points;comment;;\nsubmission_1;runs;1;good; but late;\n")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "line 1: has no column “submission” or “student”"),
        ("submission,points\n", "line 1: has no column “check”"),
        ("submission,check\n", "line 1: has no column “points”"),
        ("check,points\n", "line 1: has no column “submission” or “student”"),
        (HEAD.replace("comment", "coment"), "line 1: has an unknown column “coment”"),
        (HEAD.replace("comment", "check"), "line 1: has the column “check” twice"),
        (HEAD + 'submission_1,,runs,1,\n,,,,\n"submission_1,,budget,1,\n', "line 4: cannot be"),
        pytest.param(
            HEAD + f"submission_1,,runs,1,{'x' * (1 << 20)}\n",
            "line 2: cannot be read as CSV",
            id="a comment of a megabyte",
        ),
        (HEAD.encode() + b"submission_1,,runs,1,\nsubmission_1,,budget,1,\xfc\n", "line 3: is not"),
        (HEAD.encode("utf-16"), "line 1: is not UTF-8"),
        (b"PK\x03\x04" + bytes(range(256)), "is not UTF-8"),
        pytest.param(b" " * (MAX_BYTES + 1), "larger than 16 MiB", id="large"),
    ],
)
def test_a_file_that_is_no_table_of_marks_is_named(
    tmp_path: Path, content: str | bytes, says: str
) -> None:
    with pytest.raises(UsageError) as caught:
        read(tmp_path, content)
    assert f"{tmp_path}/a.csv" in str(caught.value)
    assert says in str(caught.value)


def test_a_file_that_is_not_there_or_is_a_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        read_overrides([tmp_path / "no.csv", tmp_path], gradable=CLASS, points=POINTS)
    assert f"{tmp_path}/no.csv: cannot be read: No such file" in str(caught.value)
    assert f"{tmp_path}: cannot be read: Is a directory" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "points"),
    [("0", 0), ("10", 10), ("007", 7), (".5", 0.5), ("0,25", 0.25), ("+3", 3), (" 9.99 ", 9.99)],
)
def test_points_are_numbers_as_people_write_them(tmp_path: Path, text: str, points: float) -> None:
    assert read(tmp_path, f'{HEAD}unnamed,,runs,"{text}",\n') == {("unnamed", "runs"): (points, "")}


@pytest.mark.parametrize("name", ["0042", "42", "'0042", " 42 "])
def test_a_submission_that_is_a_number_is_known_without_its_zeros(
    tmp_path: Path, name: str
) -> None:
    assert list(read(tmp_path, f"{HEAD}{name},,runs,1,\n")) == [("0042", "runs")]


def test_several_files_are_one_and_may_say_the_same(tmp_path: Path) -> None:
    same = "submission_1,,runs,5,fine\n"
    merged = read(tmp_path, HEAD + same + "submission_2,,runs,1,\n", HEAD + same)
    assert merged == {
        ("submission_1", "runs"): (5.0, "fine"),
        ("submission_2", "runs"): (1.0, ""),
    }


@pytest.mark.parametrize("other", ["6,fine", "5,poor"])
def test_two_marks_for_one_check_are_refused_with_both_places(tmp_path: Path, other: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(
            tmp_path,
            HEAD + "submission_1,,runs,5,fine\n",
            HEAD + "\n" + f",ann@example.edu,points_runs,{other}\n",
        )
    points, comment = other.split(",")
    assert (
        f"{tmp_path}/b.csv, line 3: submission_1, runs: gives {points} (“{comment}”), but "
        f"{tmp_path}/a.csv, line 2 gives 5 (“fine”)"
    ) in str(caught.value)


def test_of_many_problems_the_first_are_listed(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        read(tmp_path, HEAD + "submission_9,,runs,1,\n" * 1000)
    assert len(str(caught.value).splitlines()) == 22
    assert str(caught.value).endswith("... and 980 more.")


PIECES = ["=", "+", "-", "@", "＝", "'", '"', ";", ",", "|", " ", "\n", "\t", "a", "1", "\u200b"]
TEXTS = st.one_of(st.text(max_size=40), st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
MARKS = st.dictionaries(
    st.tuples(st.sampled_from([each.submission for each in CLASS]), st.sampled_from(CHECK_NAMES)),
    st.tuples(st.integers(0, 1000), TEXTS),
)


def rewritten(path: Path, delimiter: str, decimal: str, ending: str, mark: bool) -> None:
    """What a spreadsheet of another language makes of the file when it saves it."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        head, *rows = csv.reader(file)
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator=ending)
    writer.writerow(head)
    writer.writerows([*row[:3], row[3].replace(".", decimal), row[4]] for row in rows)
    writer.writerow([""] * len(head))
    path.write_bytes(out.getvalue().encode("utf-8-sig" if mark else "utf-8"))


@settings(max_examples=80, deadline=None)
@given(
    given=MARKS,
    saved=st.none()
    | st.tuples(
        st.sampled_from(",;\t"), st.sampled_from(".,"), st.sampled_from(["\r\n", "\n"]),
        st.booleans(),
    ),
)  # fmt: skip
def test_what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, given: Given, saved: tuple[str, str, str, bool] | None
) -> None:
    marks = {}
    for (submission, check), (hundredths, comment) in given.items():
        points = round(hundredths / 1000 * POINTS.of(check), 2)
        override = Override(points=points, comment=unguarded(one_line(comment)))
        marks[submission, check] = Mark(
            submission=submission, student="", check=check, override=override, place=""
        )
    path = tmp_path_factory.mktemp("marks") / "overrides.csv"
    write_overrides(path, Overrides(marks=marks))
    if saved is not None:
        rewritten(path, *saved)
    found = read_overrides([path], gradable=CLASS, points=POINTS).marks
    assert {key: mark.override for key, mark in found.items()} == {
        key: mark.override for key, mark in marks.items()
    }


@given(TEXTS)
def test_a_guard_is_put_on_and_taken_off(text: str) -> None:
    """Whatever is written in a cell is harmless, and nothing but guards is ever taken off."""
    plain = unguarded(one_line(text))
    assert unguarded(plain) == plain
    assert unguarded(plain_cell(plain)) == plain
    assert plain.replace("'", "").strip() == one_line(text).replace("'", "").strip()


def test_people_find_their_way_in_the_file_that_is_kept(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(HEAD + ",12,budget,3,=cmd()\nunnamed,whoever,runs,1,\n")
    found = read_overrides([tmp_path / "a.csv"], gradable=CLASS, points=POINTS)
    write_overrides(tmp_path / "kept.csv", found)
    assert (tmp_path / "kept.csv").read_text("utf-8-sig").splitlines() == [
        '"submission","student","check","points","comment"',
        '"submission_3","李 小龍, \'=Zoë","budget","3","\'=cmd()"',
        '"unnamed","","runs","1",""',
    ]
