"""Which files are uploaded, and what is in those that are made for it."""

from __future__ import annotations

import json
from pathlib import Path

from autograder.core.assignment import DATA_PATH, GRADER_FOLDER, LESSON_PATH, TESTS_PATH
from autograder.core.config import CHECK_NAMES, CONFIG_NAME, Config, load_config
from autograder.core.errors import ReleaseError
from autograder.release.bundle.archive import pack
from autograder.reports.placeholder import UNFINISHED, failed_results

BUNDLE_PATH = Path("dist/autograder.zip")
REQUIREMENTS_PATH = Path("requirements/runtime.txt")
PACKAGE = Path(__file__).resolve().parents[2]
TEMPLATES = Path(__file__).with_name("templates")
PACKAGE_ENDINGS = frozenset({".py", ".json"})
ROOMS = ("core", "intake", "sandbox", "network", "grading", "reports", "otter", "gradescope")
"""What a container runs; releases, pages, batches and the command stay at home."""
LEFT_OUT = "reports/pages/"
NOT_INSTALLED = (
    *("playwright==", "greenlet=="),
    *("sphinx==", "sphinxcontrib-", "alabaster==", "babel==", "docutils==", "imagesize=="),
    *("roman-numerals==", "snowballstemmer=="),
)
"""The driver of a browser, and a generator of manuals: a tenth of the image, and never imported."""
PLUGIN = "autograder.otter.plugin.ActivityM5Plugin"


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
    temporary = target.with_name(f".{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(content)
        temporary.replace(target)
    except OSError as error:
        raise ReleaseError(f"{target}: cannot be written: {error.strerror}.") from error
    return target


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
    ours = {path.as_posix(): _read(root / path) for path in (DATA_PATH, LESSON_PATH)}
    ours[CONFIG_NAME] = _read(root / CONFIG_NAME)
    for name in CHECK_NAMES:
        path = TESTS_PATH / f"{name}.py"
        ours[path.as_posix()] = _read(root / path)
    for path in sorted(PACKAGE.rglob("*")):
        inside = path.relative_to(PACKAGE)
        name = inside.as_posix()
        wanted = name == "__init__.py" or (inside.parts[0] in ROOMS and LEFT_OUT not in name)
        # What is derived beside the sources is not part of them, and differs from tree to tree.
        wanted = wanted and "__pycache__" not in inside.parts
        if path.suffix in PACKAGE_ENDINGS and wanted:
            ours[f"autograder/{name}"] = _read(path)
    return files | {f"{GRADER_FOLDER}/{name}": content for name, content in ours.items()}


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
