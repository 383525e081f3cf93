"""``dist/autograder.zip``: what is uploaded to Gradescope, and what Otter's commands take.

::

    setup.sh  run_autograder  requirements.txt        Gradescope's two files, and the pinned wheels
    otter_config.json  tests/                         for `otter run`: our plugin, and inert tests
    environment.yml  run_otter.py                     for `otter grade`, whose image wants them
    files_m5/                                         the grader: package, data, tests, lesson, and
                                                      otter_config.json with the course's numbers

Why the grader's folder has that name: the image of `otter grade` takes over what matches
``files*``, and `otter run` copies ``files/``, and only that, to where the submission lies. So the
grader reaches the one, and the hidden tests stay out of the other.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from modulefinder import ModuleFinder
from pathlib import Path

from autograder.core.assignment import (
    DATA_PATH,
    FORMULAS_PATH,
    GRADER_FOLDER,
    LESSON_PATH,
    TESTS_PATH,
)
from autograder.core.config import CHECK_NAMES, CONFIG_NAME, Config, load_config
from autograder.core.errors import ReleaseError
from autograder.core.files import replace_file
from autograder.reports.placeholder import UNFINISHED, failed_results

BUNDLE_PATH = Path("dist/autograder.zip")
REQUIREMENTS_PATH = Path("requirements/runtime.txt")
PACKAGE = Path(__file__).resolve().parents[1]
TEMPLATES = Path(__file__).with_name("templates")
ROOMS = ("core", "intake", "sandbox", "network", "grading", "reports", "otter", "gradescope")
"""What may be uploaded; releases, batches and the command stay at home, and so do pages."""
STAYS_HOME = "reports/pages/"
INSIDE = "sandbox/inside/"
"""Programs for the box: they are started by their files, and nothing of ours imports them."""
ENTRIES = (
    *("gradescope.supervisor", "gradescope.grading", "gradescope.container"),
    *("otter.plugin", "sandbox.guard", "core.clerk_process"),
)
"""Where the processes begin that a container starts. The archive holds what these import."""
NOT_INSTALLED = (
    *("playwright==", "greenlet=="),
    *("sphinx==", "sphinxcontrib-", "alabaster==", "babel==", "docutils==", "imagesize=="),
    *("roman-numerals==", "snowballstemmer=="),
)
"""The driver of a browser, and a generator of manuals: a tenth of the image, and never imported."""
PLUGIN = "autograder.otter.plugin.ActivityM5Plugin"
EXECUTABLE = frozenset({"setup.sh", "run_autograder"})
EARLIEST = (1980, 1, 1, 0, 0, 0)
"""The first date that the format of zip archives knows."""
UNIX = 3


def write_bundle(root: Path) -> Path:
    """Make ``dist/autograder.zip`` of the release in `root`; returns where it is.

    Raises
    ------
    ConfigError
        If the configuration is missing or wrong.
    ReleaseError
        If a file of the release is missing, or the archive cannot be written.
    """
    target = root / BUNDLE_PATH
    content = pack(bundle_files(root))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        replace_file(target, content)
    except OSError as error:
        raise ReleaseError(f"{target}: cannot be written: {error.strerror}.") from error
    return target


def pack(files: Mapping[str, bytes]) -> bytes:
    """Pack `files`, contents by path, into the same bytes on every machine.

    Nothing is compressed: what deflate makes of the same bytes differs from one version of zlib
    to the next, and the data, most of the archive, is compressed already.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression=zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, date_time=EARLIEST)
            info.create_system = UNIX
            mode = 0o755 if name in EXECUTABLE else 0o644
            info.external_attr = (0o100000 | mode) << 16
            archive.writestr(info, files[name])
    return buffer.getvalue()


def bundle_files(root: Path) -> dict[str, bytes]:
    """Contents by path in the archive."""
    config = load_config(root / CONFIG_NAME)
    files = {name: _template(name) for name in ("run_otter.py", "environment.yml")}
    for name in ("setup.sh", "run_autograder"):
        results = json.dumps(failed_results(UNFINISHED), indent=2)
        text = _template(name).decode().replace("@GRADER@", GRADER_FOLDER)
        files[name] = text.replace("@RESULTS@", results).encode()
    files["requirements.txt"] = _requirements(_read(root / REQUIREMENTS_PATH))
    files["otter_config.json"] = _otter_config(config)
    files |= {f"tests/{name}.py": _inert_test(name, config) for name in CHECK_NAMES}
    ours = {path.as_posix(): _read(root / path) for path in (DATA_PATH, LESSON_PATH, FORMULAS_PATH)}
    ours[CONFIG_NAME] = _read(root / CONFIG_NAME)
    for name in CHECK_NAMES:
        path = TESTS_PATH / f"{name}.py"
        ours[path.as_posix()] = _read(root / path)
    ours |= {f"autograder/{name}": _read(PACKAGE / name) for name in _package_files()}
    return files | {f"{GRADER_FOLDER}/{name}": content for name, content in ours.items()}


def _package_files() -> Iterator[str]:
    """Files of this package that a container needs: what `ENTRIES` import, and their data.

    Raises
    ------
    ReleaseError
        If they import something that is not to be uploaded.
    """
    finder = ModuleFinder(path=[str(PACKAGE.parent)])
    for entry in ENTRIES:
        finder.import_hook(f"{PACKAGE.name}.{entry}")
    files = (getattr(module, "__file__", None) for module in finder.modules.values())
    found = {Path(file) for file in files if file}
    found |= set((PACKAGE / INSIDE).glob("*.py"))
    for room in (*ROOMS, INSIDE):
        found |= set((PACKAGE / room).glob("*.json"))
    for path in sorted(found):
        name = path.relative_to(PACKAGE).as_posix()
        if not name.startswith(("__init__.py", *(f"{room}/" for room in ROOMS))) or (
            name.startswith(STAYS_HOME)
        ):
            raise ReleaseError(
                f"{BUNDLE_PATH} would hold autograder/{name}, which is not to be uploaded: "
                f"something that a container runs imports it. See {Path(__file__).name}."
            )
        yield name


def _requirements(pinned: bytes) -> bytes:
    """The pinned packages without those that only Otter's exports to PDF and its manual need."""
    lines = pinned.decode().splitlines()
    kept = [line for line in lines if not line.lower().startswith(NOT_INSTALLED)]
    return "\n".join([*kept, ""]).encode()


def _otter_config(config: Config) -> bytes:
    """What stock Otter reads; the course's own numbers are none of its keys."""
    settings = {
        "plugins": [PLUGIN],
        "points_possible": config.points.total,
        "show_stdout": False,
        "show_hidden": False,
        "grade_from_log": False,
        "pdf": False,
    }
    return (json.dumps(settings, indent=2) + "\n").encode()


def _inert_test(name: str, config: Config) -> bytes:
    """A test file that Otter can run in its kernel, and that gives nothing: the plugin does."""
    return f'''\
from otter.test_files import test_case

OK_FORMAT = False

name = "{name}"
points = {config.points.of(name)}


@test_case(name="{name}", points=None, hidden=True)
def test_graded_outside_this_kernel():
    raise AssertionError("The plugin of Activity M5 did not run: this is no grade.")
'''.encode()


def _template(name: str) -> bytes:
    return _read(TEMPLATES / name)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ReleaseError(
            f"{path}: cannot be read: {error.strerror}; run `m5 release`."
        ) from error
