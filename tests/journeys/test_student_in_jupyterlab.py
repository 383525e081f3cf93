"""A student opens the released notebook in JupyterLab, runs it, makes mistakes, and draws."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.journeys.conftest import ROOT
from tests.notebooks import STUDENT_NOTEBOOK, cell_of, released

LAB = shutil.which("jupyter-lab", path=f"{sys.prefix}/bin{os.pathsep}{os.environ['PATH']}")
MINUTE = 60_000.0
"""In milliseconds, as Playwright counts."""

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(LAB is None, reason="No JupyterLab here: pip install jupyterlab."),
]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """JupyterLab in a folder with what a class without internet is given."""
    home = tmp_path_factory.mktemp("home")
    folder = tmp_path_factory.mktemp("student")
    shutil.copy(STUDENT_NOTEBOOK, folder)
    shutil.copy(ROOT / "assignment/data/mnist.npz", folder)
    kernel = home / "data/kernels/python3/kernel.json"
    kernel.parent.mkdir(parents=True)
    command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    kernel.write_text(json.dumps({"argv": command, "display_name": "Python 3"}))
    whole = home / "config/lab/user-settings/@jupyterlab/notebook-extension"
    whole.mkdir(parents=True)  # cells out of sight are there too
    (whole / "tracker.jupyterlab-settings").write_text('{"windowingMode": "none"}')
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert LAB is not None
    options = ["--no-browser", "--allow-root", "--expose-app-in-browser", f"--port={port}"]
    options += ["--IdentityProvider.token=", f"--ServerApp.root_dir={folder}"]
    places = {"JUPYTER_CONFIG_DIR": str(home / "config"), "JUPYTER_PATH": str(home / "data")}
    with (home / "log").open("wb") as log:
        server = subprocess.Popen(
            [LAB, *options],
            env={**os.environ, **places, "HOME": str(home)},
            stdout=log,
            stderr=log,
        )
        deadline = time.monotonic() + 120
        while server.poll() is None and time.monotonic() < deadline:
            with socket.socket() as tried:
                if tried.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.5)
        yield f"http://127.0.0.1:{port}/lab/tree/{STUDENT_NOTEBOOK.name}?reset"
        server.terminate()
        server.wait(60)


class Screen:
    """The notebook as one sees it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.ids = [cell["id"] for cell in released().cells]

    def command(self, name: str) -> None:
        self.page.evaluate("name => {window.jupyterapp.commands.execute(name)}", name)

    def cell(self, name: str) -> Locator:
        return self.page.locator(".jp-Notebook .jp-Cell").nth(self.ids.index(name))

    def said(self, name: str) -> str:
        return " ".join(self.cell(name).locator(".jp-Cell-outputArea").inner_text().split())

    def begin(self, name: str, source: str | None = None) -> None:
        if source is not None:
            self.cell(name).locator(".cm-content").click()
            self.page.keyboard.press("Control+A")
            self.page.keyboard.insert_text(source)
        self.cell(name).locator(".jp-InputPrompt").click()
        self.page.keyboard.press("Control+Enter")
        time.sleep(1)

    def wait(self, minutes: float = 2) -> None:
        busy = self.page.locator(".jp-InputPrompt", has_text="[*]")
        expect(busy).to_have_count(0, timeout=minutes * MINUTE)

    def run(self, name: str, source: str | None = None) -> str:
        self.begin(name, source)
        self.wait()
        return self.said(name)


def test_a_students_way(address: str, browser: Browser) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    page.goto(address, timeout=2 * MINUTE)
    screen = Screen(page)
    page.get_by_text("Python 3 | Idle").wait_for(timeout=3 * MINUTE)
    screen.command("notebook:run-all-cells")
    time.sleep(3)
    screen.wait(minutes=20)

    assert page.get_by_text("Traceback").all_inner_texts() == []
    assert "mnist.npz beside this notebook: taken" in screen.said("load-data")
    assert "Epoch 3:" in screen.said("model") and "NOT YET" in screen.said("check-accuracy")
    table = screen.said("two-by-two")
    assert "10 of 10 dead *" in table and table.count("missing") == 3

    source = cell_of(released(), "model").source
    said = screen.run("model", source.replace("    x_train", "    x_trian"))
    assert "Do you mean `x_train`?" in said
    said = screen.run("model", source.replace("sparse_categorical", "categorical"))
    assert "Do labels and loss go together?" in said
    screen.begin("model", source)
    screen.cell("model").get_by_text("batch").wait_for(timeout=2 * MINUTE)
    screen.command("kernelmenu:interrupt")
    screen.wait()
    assert "Stopped. The network stays as it is now" in screen.said("model")
    assert "NOT YET" in screen.run("check-accuracy")

    fixed = source.replace("Dense(1000,", "Dense(32,").replace("0.03", "0.001")
    fixed = fixed.replace('        layers.Dense(10, activation="relu"),\n', "")
    screen.run("model", fixed.replace("epochs=3", "epochs=1"))
    screen.run("draw-digit")
    board = screen.cell("draw-digit").locator("canvas").first.bounding_box()
    assert board is not None
    page.mouse.move(board["x"] + 80, board["y"] + 60)
    page.mouse.down()
    for x, y in ((190, 60), (130, 220)):
        page.mouse.move(board["x"] + x, board["y"] + y, steps=5)
    page.mouse.up()
    bars = screen.said("draw-digit").split("%")
    shares = {bar.split()[-2]: int(bar.split()[-1]) for bar in bars if bar.strip()}
    assert max(shares, key=lambda digit: shares[digit]) == "7", shares
