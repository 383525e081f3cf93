"""From nothing to grades: ``make e2e``, or ``whole.py [--system FOLDER] [--bind PATH]...``.

Makes a fresh Debian 12, or takes the system in FOLDER (an Ubuntu 22.04 or 24.04, say); unpacks
dist/autograder.zip into it as Gradescope does; runs setup.sh; grades the starter, the reference
and five bad uploads as in Gradescope's container; and checks each results.json. Prints what it
measured. Needs root, debootstrap and the network, and 4 GB of disk; takes a quarter of an hour.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

import jsonschema

from autograder.release.bundle import write_bundle
from autograder.reports.results_json import schema

ROOT = Path(__file__).resolve().parents[2]
CONTAINER = Path(__file__).with_name("container.py")
PASSED_ON = ("PIP_", "SSL_", "REQUESTS_", "http_", "https_", "no_proxy", "HTTP_", "HTTPS_")
UPLOADS: dict[str, tuple[str, bytes | Path, float]] = {
    "the reference": ("m5.ipynb", ROOT / "solutions/reference.ipynb", 100),
    "the starter": ("m5.ipynb", ROOT / "student/m5.ipynb", 10),
    "a web page": ("m5.html", b"<html></html>", 0),
    "half a file": ("m5.ipynb", b'{"cells": [', 0),
    "a broken zip": ("m5.zip", b"PK\x03\x04" + bytes(999), 0),
    "an empty file": ("m5.ipynb", b"", 0),
    "a PDF in disguise": ("m5.ipynb", b"%PDF-1.7", 0),
}


def in_container(options: argparse.Namespace, system: Path, *arguments: str) -> str:
    line = [sys.executable, str(CONTAINER), "--system", str(system)]
    line += ["--autograder", str(system / "autograder")]
    for path in options.bind:
        line += ["--bind", str(path)]
    for name, value in os.environ.items():
        if name.startswith(PASSED_ON):
            line += ["--setenv", f"{name}={value}"]
    done = subprocess.run([*line, *arguments], capture_output=True, text=True)
    if done.returncode not in (0, 2):
        sys.exit(done.stdout[-5000:] + done.stderr[-5000:])
    return done.stdout


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--system", type=Path, help="[a fresh Debian 12, by debootstrap]")
    parser.add_argument("--bind", type=Path, action="append", default=[])
    parser.add_argument("--certificates", type=Path, help="folder of further *.crt to trust")
    options = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("whole.py: only root can make a container.")
    if options.system is None and shutil.which("debootstrap") is None:
        sys.exit("whole.py: install debootstrap, or name a system with --system.")
    # Else four gigabytes would be left of a run that somebody ends.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    work = Path(tempfile.mkdtemp(prefix="m5-whole-"))
    try:
        return run(options, work)
    finally:
        shutil.rmtree(work)


def run(options: argparse.Namespace, work: Path) -> int:
    bundle = write_bundle(ROOT)
    system = options.system
    if system is None:
        system = work / "system"
        subprocess.run(["debootstrap", "--variant=minbase", "bookworm", str(system)], check=True)
    shutil.copyfile("/etc/resolv.conf", system / "etc/resolv.conf")
    if options.certificates:
        trusted = system / "usr/local/share/ca-certificates"
        trusted.mkdir(parents=True, exist_ok=True)
        for path in options.certificates.glob("*.crt"):
            shutil.copy(path, trusted)
    autograder = system / "autograder"
    shutil.rmtree(autograder, ignore_errors=True)
    (autograder / "submission").mkdir(parents=True)
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(autograder / "source")
    shutil.copyfile(autograder / "source/run_autograder", autograder / "run_autograder")
    (autograder / "run_autograder").chmod(0o755)
    # As long as it takes: the starter's fifteen epochs do not fit into ten minutes everywhere.
    config = autograder / "source/files_m5/otter_config.json"
    settings = json.loads(config.read_text())
    settings["gradescope"]["container_seconds"] = 2400
    config.write_text(json.dumps(settings))
    before, started, worked = _megabytes(system), time.monotonic(), _processor_seconds()
    said = in_container(options, system, "--", "bash", "/autograder/source/setup.sh")
    print(said.splitlines()[-1])
    print(
        f"setup.sh: {time.monotonic() - started:.0f} s, of which the processor worked "
        f"{_processor_seconds() - worked:.0f} s; {_megabytes(system) - before} MB more; "
        f"{len(list(system.glob('opt/activity-m5/lib/*/site-packages/*.dist-info')))} packages"
    )
    return sum([grade(options, system, name) for name in UPLOADS])


def grade(options: argparse.Namespace, system: Path, name: str) -> int:
    """Grade one upload; 1 if it came out otherwise than it should."""
    file, content, expected = UPLOADS[name]
    submission = system / "autograder/submission"
    shutil.rmtree(submission)
    submission.mkdir()
    (submission / file).write_bytes(content.read_bytes() if isinstance(content, Path) else content)
    started = time.monotonic()
    said = in_container(options, system, "--closed", "--", "./run_autograder")
    seconds = time.monotonic() - started
    results: dict[str, Any] = json.loads((system / "autograder/results/results.json").read_text())
    jsonschema.validate(results, schema())
    wrong = results.get("score") != expected
    verdict = results["extra_data"]["verdict"]
    print(f"{name}: {results.get('score')} ({verdict}), {seconds:.0f} s{' WRONG' * wrong}")
    if wrong:
        print(said)
    return int(wrong)


def _processor_seconds() -> float:
    """Of all that was started and has ended; unlike wall time no matter of what else runs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _megabytes(folder: Path) -> int:
    done = subprocess.run(["du", "-xsm", str(folder)], capture_output=True, text=True)
    return int(done.stdout.split()[0])


if __name__ == "__main__":
    sys.exit(main())
