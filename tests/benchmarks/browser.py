"""What the view costs a browser: frames, work on the page's main thread, memory, rows in the document.

A real Chromium shows the kernel's own page while calls come in. It is headless and draws by software, so a frame costs more of
the processor than with a graphics card, and the kernel, its callers and the browser share this machine: the first line,
a page with nothing on it, is what the others are to be compared with.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from urllib.parse import urlsplit

from playwright.sync_api import CDPSession, Page, sync_playwright

from mcp_workbench import discovery
from mcp_workbench.cli.bench.processes import Server
from mcp_workbench.cli.bench.wires import Target
from tests.benchmarks.common import title
from tests.benchmarks.steady import Steady

PER_S = 500
FILL_PER_S = 1_900
"""A view is told 2,000 calls a second, and of more only how many."""
CALLS = 50_000
FILLED_WITHIN_S = 120
SECONDS = 10.0
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
SLOW_MS = 20
RECORD = """([seconds, step]) => new Promise((done) => {
  const grid = document.querySelector("[data-testid=calls]");
  const frames = []; let rows = 0, elements = 0, begun, last, at = 0, down = true;
  const count = () => {
    rows = Math.max(rows, document.querySelectorAll("[role=row],tr").length);
    elements = Math.max(elements, document.querySelectorAll("*").length);
  };
  const tick = (now) => {
    begun ??= now;
    if (last !== undefined) frames.push(now - last);
    last = now;
    if (frames.length % 30 === 0) count();
    if (step && grid) {
      const end = grid.scrollHeight - grid.clientHeight;
      if (at >= end - step) down = false;
      if (at <= step) down = true;
      at += down ? step : -step;
      grid.scrollTop = at;
    }
    if (now - begun < seconds * 1000) requestAnimationFrame(tick);
    else done({ frames, rows, elements });
  };
  requestAnimationFrame(tick);
})"""
WORK = ("TaskDuration", "ScriptDuration", "LayoutDuration", "RecalcStyleDuration")


@dataclass(frozen=True, slots=True)
class Recorded:
    """Some seconds of a page."""

    frames_ms: list[float]
    rows: int
    """Most in the document at once."""
    elements: int
    percent: dict[str, float]
    """Processor time of the page's main thread, by kind of work: waiting for a turn on a busy machine is not counted."""
    heap_mib: float


class Recorder:
    """Measures one page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self._session: CDPSession = page.context.new_cdp_session(page)
        self._session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def record(self, step: int = 0) -> Recorded:
        """Watch for some seconds; `step`: pixels by which calls are scrolled each frame."""
        before, begin = self._metrics(), time.perf_counter()
        seen = self.page.evaluate(RECORD, [SECONDS, step])
        after, elapsed = self._metrics(), time.perf_counter() - begin
        percent = {name: 100 * (after[name] - before[name]) / elapsed for name in WORK}
        self._session.send("HeapProfiler.collectGarbage")
        heap = self._metrics()["JSHeapUsedSize"] / 2**20
        return Recorded(seen["frames"], seen["rows"], seen["elements"], percent, heap)

    def _metrics(self) -> dict[str, float]:
        return {metric["name"]: metric["value"] for metric in self._session.send("Performance.getMetrics")["metrics"]}


def measure(targets: Sequence[Target]) -> None:
    """One table; the kernel under measurement is found by its discovery file."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        print(f" no browser was found: looked for {', '.join(BROWSERS)}")
        return
    with _page(program) as page:
        recorder = Recorder(page)
        version = page.context.browser.version if page.context.browser else "?"
        print(f" the page in Chromium {version}, headless, drawn by software; {PER_S} calls a second; {SECONDS:.0f} s each")
        print(
            f"  {'':<38}{'fps':>6}{'median':>8}{'p99':>7}{'longest':>9}{f'>{SLOW_MS} ms':>9}"
            f"{'main thread: % of a core (script, layout, style)':>52}{'ms a frame':>12}{'heap MiB':>10}{'rows':>6}{'elements':>10}",
            flush=True,
        )
        _say("a page with nothing on it, no calls", recorder.record())
        page.goto(_link())
        _show(page, "calls")
        with Steady(targets, FILL_PER_S):
            _wait_for_calls(page, CALLS)
        with Steady(targets, PER_S):
            held = page.locator("[data-testid=calls-counts]").inner_text()
            print(f"  the calls panel holds: {held}")
            _say("calls, following the newest", recorder.record())
            _say("calls, scrolled 10 rows a frame", recorder.record(240))
            _say("calls, scrolled 100 rows a frame", recorder.record(2_400))
            for name in ("latency", "kernel", "dataframes", "sessions", "connect"):
                _show(page, name)
                _say(name, recorder.record())
        _show(page, "calls")
        _say("calls, no calls come", recorder.record())


def _say(name: str, seen: Recorded) -> None:
    ordered = sorted(seen.frames_ms)
    slow = sum(ms > SLOW_MS for ms in ordered)
    whole, *parts = (seen.percent[kind] for kind in WORK)
    work = f"{whole:.1f} ({', '.join(f'{part:.1f}' for part in parts)})"
    fps = 1000 * len(ordered) / sum(ordered)
    print(
        f"  {name:<38}{fps:>6.1f}{median(ordered):>8.1f}{ordered[int(len(ordered) * 0.99)]:>7.1f}{ordered[-1]:>9.1f}"
        f"{f'{slow}/{len(ordered)}':>9}{work:>52}{10 * whole / fps:>12.2f}{seen.heap_mib:>10.1f}{seen.rows:>6}{seen.elements:>10}",
        flush=True,
    )


@contextmanager
def _page(program: str) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        try:
            yield browser.new_page(viewport={"width": 1280, "height": 900})
        finally:
            browser.close()


def _link() -> str:
    """An address that opens the page once, asked for as programs do."""
    (entry,) = discovery.find_views()
    request = urllib.request.Request(  # loopback
        f"http://{urlsplit(entry.url).netloc}/panel/link", headers={"Authorization": f"Bearer {entry.token.reveal()}"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # loopback
        return str(json.load(answer)["url"])


def _show(page: Page, panel: str) -> None:
    page.locator(f"[data-testid=tab-{panel}]").click()
    time.sleep(1.5)  # what there was has been told


def _wait_for_calls(page: Page, most: int) -> None:
    page.wait_for_function(
        "(most) => Number(document.querySelector('[data-testid=calls]').getAttribute('aria-rowcount')) > most",
        arg=most,
        timeout=FILLED_WITHIN_S * 1000,
        polling=1000,
    )


def main() -> None:
    title("the view in a browser")
    with tempfile.TemporaryDirectory() as runtime:
        os.environ["JUPYTER_RUNTIME_DIR"] = runtime  # no other kernel of this user is found
        with Server([sys.executable, "-m", "tests.benchmarks.watched"]) as kernel:
            measure(list(kernel.ready.targets.values()))


if __name__ == "__main__":
    main()
