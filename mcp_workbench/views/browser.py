"""Whether there is a browser near this Python, in front of the person, and how it is asked to open an address.

Opening is a convenience beside the printed address: where it is not certain that the browser would appear on the person's own
screen, none is asked. Knows nothing of pages and servers.
"""

from __future__ import annotations

import logging
import os
import sys
import webbrowser
from collections.abc import Mapping

logger = logging.getLogger("mcp_workbench")

ELSEWHERE = ("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY", "CODESPACES", "COLAB_RELEASE_TAG", "KUBERNETES_SERVICE_HOST")
"""Variables that are set where the person sits at another machine; beside them all that begin with JUPYTERHUB_."""


def open_near(url: str) -> bool:
    """Ask the person's browser to open an address; says whether one was asked. Waits 5 s at most, and never for a program in a terminal."""
    browser = _graphical() if is_near(os.environ, sys.platform) else None
    if browser is None:
        return False
    try:
        return browser.open(url)
    except (OSError, webbrowser.Error) as error:
        logger.info("the browser could not be asked: %s", type(error).__name__)  # its text may hold the address
        return False


def is_near(environment: Mapping[str, str], platform: str) -> bool:
    """Whether this process runs on the machine in front of the person, as far as its environment tells.

    Args:
        environment: Its variables.
        platform: `sys.platform`.
    """
    if any(name in environment for name in ELSEWHERE) or any(name.startswith("JUPYTERHUB_") for name in environment):
        return False
    return platform in ("win32", "darwin") or any(environment.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def _graphical() -> webbrowser.BaseBrowser | None:
    """The browser of the system, unless it is a program that takes over a terminal and would be waited for."""
    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return None
    # The library's class for a command that it waits for, and the mark of its classes that know one such program.
    waits = isinstance(browser, webbrowser.GenericBrowser) and not isinstance(browser, webbrowser.BackgroundBrowser)
    return None if waits or not getattr(browser, "background", True) else browser
