"""One JupyterLab for all tests of this folder, one browser for each module, and a page of its own for each test.

The browser is a module's and not the session's: while it runs, its thread counts as one that runs an event loop, and tests
elsewhere start loops of their own. Without a browser or a built front end these tests are skipped, in one line; with
MCP_WORKBENCH_NO_SKIP=1 that is a failure.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NoReturn

import pytest
from playwright.sync_api import Browser, expect

from tests.ui.browser import WAIT_MS, chromium, running_browser
from tests.ui.lab import JupyterLab, missing, running_lab
from tests.ui.page import LabPage, visit

NO_SKIP = os.environ.get("MCP_WORKBENCH_NO_SKIP") == "1"
NO_BROWSER = "no Chromium on the PATH: apt-get install chromium, or what installs one here"


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The browser's executable."""
    return chromium() or _cannot(NO_BROWSER)


@pytest.fixture(scope="session")
def built() -> None:
    """There is a front end to be tested."""
    if files := missing():
        _cannot(f"the front end is not built ({', '.join(files)}): cd labextension && jlpm install && jlpm build")


@pytest.fixture(scope="session")
def lab(built: None, chromium_path: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterLab]:
    """JupyterLab with everything in it."""
    with running_lab(tmp_path_factory.mktemp("lab")) as here:
        yield here


@pytest.fixture(scope="module")
def browser(chromium_path: str) -> Iterator[Browser]:
    """The browser."""
    expect.set_options(timeout=WAIT_MS)
    with running_browser(chromium_path) as browser:
        yield browser


@pytest.fixture
def page(lab: JupyterLab, browser: Browser) -> Iterator[LabPage]:
    """A page without a past; afterwards its console must have said nothing amiss."""
    with visit(lab, browser) as page:
        yield page


def _cannot(reason: str) -> NoReturn:
    if NO_SKIP:
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
