"""How long the pages of a large class take to build, and staff's page to open.

Run as ``python -m benchmarks.pages [submissions]`` in the repository. Prints seconds; the browser's
part is left out where there is no Chromium.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

from autograder.core.assignment import read_lesson
from autograder.core.config import load_config
from autograder.reports.pages import write_class_report, write_feedback
from tests.browser import CHROMIUM, FLAGS
from tests.pages.samples import write_class

ROOT = Path(__file__).resolve().parent.parent
MEASURED_FEEDBACK = 20
DISTINCT_NOTEBOOKS = 200
OPENS = 3


def main(submissions: int) -> None:
    """Build and open the pages of a class of so many, and print how long it took."""
    config = load_config(ROOT / "otter_config.json")
    lesson = read_lesson(ROOT)
    folder = Path(tempfile.mkdtemp(prefix="m5-pages-"))
    try:
        reports = write_class(folder, config, submissions, distinct_notebooks=DISTINCT_NOTEBOOKS)
        for report in reports:
            (folder / "submissions" / report.submission / "feedback.html").touch()
        start = time.perf_counter()
        page = write_class_report(folder, config, lesson)
        built = time.perf_counter() - start
        size = page.stat().st_size / 1e6
        print(f"report.html of {submissions:,} submissions: {built:.1f} s, {size:.1f} MB")
        start = time.perf_counter()
        for report in reports[:MEASURED_FEEDBACK]:
            place = folder / "submissions" / report.submission
            notebook = place / "executed.ipynb"
            executed = notebook.read_bytes() if notebook.exists() else None
            write_feedback(report, executed, place, config, lesson)
        each = (time.perf_counter() - start) / MEASURED_FEEDBACK
        print(f"feedback.html: {each:.2f} s each, over {MEASURED_FEEDBACK}")
        if CHROMIUM is None:
            print("No Chromium here: how long the page takes to open was not measured.")
            return
        for width in (1280, 400):
            for _ in range(OPENS):
                wall, busy = _open(page, width)
                print(f"opened at {width} pixels: {wall:.2f} s, of them {busy:.2f} s of work")
    finally:
        shutil.rmtree(folder)


def _open(page: Path, width: int) -> tuple[float, float]:
    """Seconds from the start of the navigation to the end of the load, in a browser that was just
    started; and the processor time that the page took, which other programs do not change."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        tab = browser.new_page(viewport={"width": width, "height": 900})
        devtools = tab.context.new_cdp_session(tab)
        devtools.send("Performance.enable", {"timeDomain": "threadTicks"})
        tab.goto(page.as_uri(), wait_until="load")
        milliseconds = tab.evaluate(
            "() => new Promise(done => setTimeout(() => "
            "done(performance.getEntriesByType('navigation')[0].loadEventEnd)))"
        )
        metrics = devtools.send("Performance.getMetrics")["metrics"]
        busy = next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration")
        browser.close()
    return float(milliseconds) / 1000, float(busy)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
