"""Takes the pictures of the panels for README and docs: `python docs/images/make.py`, some five minutes.

A JupyterLab of its own, with empty settings, on the notebook of `story.py`, in a headless Chromium; in light and in dark. What is
shown is this checkout's front end as it is built (`jlpm build`) and this checkout's kernel. Needs what `.[test]` installs, a Chromium
(`CHROMIUM` says where), and that nobody minds a busy core.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import story
from PIL import Image
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
ZOOMED = 4
"""Notches of a wheel from six minutes to half a minute."""
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
)
SIZE = {"width": 1280, "height": 800}
FOLDERS = (
    "JUPYTER_CONFIG_DIR",
    "JUPYTER_RUNTIME_DIR",
    "JUPYTERLAB_SETTINGS_DIR",
    "JUPYTERLAB_WORKSPACES_DIR",
    "JUPYTER_DATA_DIR",
    "IPYTHONDIR",
)
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}


@contextmanager
def lab(folder: Path) -> Iterator[str]:
    """A JupyterLab on an empty home; gives the address of the notebook."""
    for name in FOLDERS:
        (folder / name).mkdir()
        os.environ[name] = str(folder / name)
    os.environ["PYTHONPATH"] = str(ROOT)
    work = folder / "work"
    work.mkdir()
    cells = [nbformat.v4.new_code_cell(cell.strip()) for cell in story.CELLS]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), work / story.NAME)
    startup = folder / "IPYTHONDIR" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "00.py").write_text(story.STARTUP)
    apputils = folder / "JUPYTERLAB_SETTINGS_DIR" / "@jupyterlab" / "apputils-extension"
    apputils.mkdir(parents=True)
    (apputils / "notification.jupyterlab-settings").write_text('{"fetchNews": "false", "checkForUpdates": false}')
    extensions = folder / "labextensions"
    extensions.mkdir()
    (extensions / "mcp-workbench").symlink_to(ROOT / "mcp_workbench" / "labextension")
    token = secrets.token_hex(16)
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--port=0", "--ServerApp.port_retries=0", "--allow-root"]
    command += [f"--ServerApp.root_dir={work}", f"--LabApp.extra_labextensions_path={extensions}", "--LabApp.expose_app_in_browser=True"]
    command += ["--ServerApp.jpserver_extensions={'mcp_workbench.gateway': True}"]
    with (folder / "lab.log").open("w") as log:
        server = subprocess.Popen(command, env=os.environ | {"JUPYTER_TOKEN": token}, cwd=work, stdout=log, stderr=log)
    try:
        yield f"{_address(folder / 'JUPYTER_RUNTIME_DIR', server)}lab/tree/{story.NAME}?reset&token={token}"
    except BaseException:
        print((folder / "lab.log").read_text()[-3_000:], file=sys.stderr)
        raise
    finally:
        server.terminate()
        server.wait(20)


def _address(runtime: Path, server: subprocess.Popen[bytes]) -> str:
    def found() -> str:
        assert server.poll() is None, "JupyterLab has ended"
        return next((json.loads(file.read_text())["url"] for file in runtime.glob("jpserver-*.json")), "")

    return until(found, "JupyterLab does not start")


def until(look: Callable[[], Any], otherwise: str, seconds: float = 90) -> Any:
    """Wait for what `look` gives."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with suppress(ValueError, OSError):
            if seen := look():
                return seen
        time.sleep(0.2)
    raise TimeoutError(otherwise)


class Agents:
    """The agents of the story, on a thread of their own."""

    def __init__(self) -> None:
        self.resting, self.open_calls = threading.Event(), threading.Event()
        self._loop = asyncio.new_event_loop()
        self._work = self._loop.create_task(story.agents(self.resting, self.open_calls))
        self._thread = threading.Thread(target=self._run, name="agents", daemon=True)

    def __enter__(self) -> Agents:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._work.cancel)
        self._thread.join(10)

    @property
    def over(self) -> bool:
        """Whether they have failed."""
        return self._work.done()

    def _run(self) -> None:
        with suppress(asyncio.CancelledError):  # anything else is shown by threading
            self._loop.run_until_complete(self._work)


class Camera:
    """Pictures of a page, as small files.

    Args:
        page: What is seen.
        theme: Part of the names of files.
        folder: Where they go.
    """

    def __init__(self, page: Page, theme: str, folder: Path) -> None:
        self.page = page
        self._theme = theme
        self._folder = folder

    def take(self, name: str, selector: str = "") -> None:
        """The page, or one element of it."""
        self.page.mouse.move(SIZE["width"] - 5, 5)
        self.page.wait_for_timeout(600)
        shot = self.page.locator(selector).first.screenshot() if selector else self.page.screenshot()
        path = self._folder / f"{name}-{self._theme}.png"
        few_colours(Image.open(BytesIO(shot)).convert("RGB")).save(path, optimize=True)
        print(f"{path.name}: {path.stat().st_size // 1000} kB")


def few_colours(full: Image.Image) -> Image.Image:
    """The same in 256 colours: the most frequent ones exactly, which are those of all surfaces, and a palette for the edges of letters."""
    pixels = np.asarray(full).reshape(-1, 3)
    colours, which, counts = np.unique(pixels, axis=0, return_inverse=True, return_counts=True)
    others = full.quantize(192, method=Image.Quantize.MAXCOVERAGE).convert("RGB")
    kept = np.concatenate([colours[np.argsort(-counts)[:64]], np.unique(np.asarray(others).reshape(-1, 3), axis=0)])
    far = ((colours[:, None].astype(int) - kept[None].astype(int)) ** 2).sum(axis=2)
    small = Image.fromarray(far.argmin(axis=1).astype(np.uint8)[which.ravel()].reshape(full.height, full.width))
    small.putpalette(kept.tobytes())
    return small


class Notebook:
    """The notebook in JupyterLab."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        page.goto(address)
        page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=90_000)
        page.evaluate("window.jupyterapp.restored")
        self.execute("application:toggle-left-area")
        page.wait_for_selector("text=Python 3 (ipykernel) | Idle", timeout=60_000)

    def execute(self, command: str, **arguments: Any) -> None:
        """Run a command of JupyterLab."""
        self.page.evaluate("([id, args]) => window.jupyterapp.commands.execute(id, args).then(() => null)", [command, arguments])

    def run(self, *, waits: bool = True) -> None:
        """Run the chosen cell and choose the next."""
        self.execute("notebook:run-cell-and-select-next") if waits else self.page.keyboard.press("Shift+Enter")

    def tab(self, name: str, within: str = ".jp-OutputArea") -> None:
        """Open a panel of a view."""
        self.page.locator(f"{within} [data-testid=tab-{name}]").first.click()
        self.page.wait_for_timeout(1_500)

    def scroll_to(self, cell: int) -> None:
        """Put a cell at the upper edge."""
        self.page.locator(".jp-Cell").nth(cell).evaluate("cell => cell.scrollIntoView({block: 'start'})")

    @contextmanager
    def height(self, pixels: int) -> Iterator[None]:
        """Give the panel in the cell another height for a while, and the window enough for it."""
        panel = self.page.locator(".mcpw-cell").first
        self.page.set_viewport_size({"width": SIZE["width"], "height": pixels + 260})
        panel.evaluate(f"cell => {{ cell.style.height = '{pixels}px' }}")
        self.scroll_to(2)
        yield
        panel.evaluate("cell => { cell.style.height = '' }")
        self.page.set_viewport_size(SIZE)

    def theme(self, name: str) -> None:
        """Change the colours."""
        self.execute("apputils:change-theme", theme=THEMES[name])
        self.page.emulate_media(color_scheme="dark" if name == "dark" else "light")
        self.page.wait_for_timeout(1_500)


def open_page(context: Any, page: Page) -> Page:
    """The stand-alone page of the kernel."""
    link = subprocess.run(
        [sys.executable, "-m", "mcp_workbench", "panel", "--no-browser", "--json"], capture_output=True, text=True, check=True, cwd=ROOT
    )
    own = context.new_page()
    own.goto(json.loads(link.stdout)["url"])
    own.wait_for_selector("[data-state=live]")
    own.locator("[data-testid=tab-calls]").click()
    page.bring_to_front()
    return own


CELL = ".jp-OutputArea .mcpw"
SIDE = ".mcp-workbench-Sidebar"


def take_all(book: Notebook, own: Page, theme: str, folder: Path) -> None:
    """Every picture in one theme."""
    page, camera = book.page, Camera(book.page, theme, folder)
    book.theme(theme)
    book.scroll_to(2)
    book.tab("calls")
    page.wait_for_function(
        "[...document.querySelectorAll('.jp-OutputArea .mcpw-row-bad')].some((row) => row.getBoundingClientRect().top < 450)"
    )
    camera.take("lab")
    page.locator(f"{CELL} .mcpw-chips button:has-text('error')").click()
    page.locator(f"{CELL} .mcpw-row-bad:has-text('ZeroDivisionError')").nth(1).click()
    page.wait_for_selector(f"{CELL} [data-testid=call-traceback-section]")
    with book.height(800):
        camera.take("drawer", CELL)
    page.locator(f"{CELL} [data-testid=call-close]").click()
    page.locator(f"{CELL} [data-testid=calls-clear]").click()
    heights = {"connect": 350, "sessions": 210, "messages": 480, "timeline": 420, "latency": 900, "dataframes": 380, "kernel": 560}
    for name, height in heights.items():
        book.tab(name)
        with book.height(height):
            if name == "messages":
                page.locator(f"{CELL} .mcpw-message:has-text('request')").first.click()
            if name == "timeline":
                zoom_to_the_second_version(page)
            if name == "latency":
                page.locator(f"{CELL} [data-testid=panel-latency] >> text=mean_delay").first.click()
            if name == "dataframes":
                page.locator(f"{CELL} [data-testid=df-open]").first.click()
                page.wait_for_selector(f"{CELL} [data-testid=preview-table]")
            page.wait_for_timeout(2_000)
            camera.take(name, CELL)
            if name == "messages":
                page.locator(f"{CELL} [data-testid=message-close]").click()
            if name == "dataframes":
                page.locator(f"{CELL} [data-testid=df-open]").first.click()
    book.execute("mcp-workbench:show-sidebar")
    book.tab("calls", SIDE)
    book.scroll_to(1)
    camera.take("sidebar")
    book.execute("application:toggle-right-area")
    own.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    own.bring_to_front()
    Camera(own, theme, folder).take("page")
    page.bring_to_front()


def main() -> None:
    """Set the scene and take the pictures."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--into", type=Path, default=HERE, help="folder of the pictures")
    options.add_argument("--history-s", type=float, default=270, help="how long the agents are at work before")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, lab(Path(folder)) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ.get("CHROMIUM") or shutil.which("chromium"), args=list(FLAGS))
        context = browser.new_context(viewport=SIZE)
        book = Notebook(context.new_page(), address)
        for _ in range(3):
            book.run()
        book.page.wait_for_selector(f"{CELL}[data-state=live]", timeout=60_000)
        with Agents() as agents:
            tell_story(book, agents, chosen.history_s)
            own = open_page(context, book.page)
            for theme in THEMES:
                take_all(book, own, theme, chosen.into)
        browser.close()


def tell_story(book: Notebook, agents: Agents, history_s: float) -> None:
    """What happens before the pictures."""
    until(lambda: agents.resting.is_set() or agents.over, "the agents do not get on", 120)
    assert not agents.over, "an agent has failed"
    book.run()
    time.sleep(history_s)
    book.run(waits=False)
    agents.open_calls.set()
    time.sleep(12)


def zoom_to_the_second_version(page: Page) -> None:
    """Half a minute of the story, around the moment at which a cell has changed a DataFrame."""
    page.locator(f"{CELL} [data-testid=timeline-fit]").click()
    canvas = page.locator(f"{CELL} [data-testid=panel-timeline] canvas").bounding_box()
    assert canvas is not None
    page.mouse.move(canvas["x"] + 0.2 * canvas["width"], canvas["y"] + 60)
    page.keyboard.down("Control")
    for _ in range(ZOOMED):
        page.mouse.wheel(0, -100)
    page.keyboard.up("Control")


if __name__ == "__main__":
    main()
