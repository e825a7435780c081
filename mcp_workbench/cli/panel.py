"""`mcp-workbench panel`: opens the page that a running kernel serves, for terminals and editors without Jupyter's panels.

The kernel is found by its views' discovery file, which only its owner can read; the secret in it buys one link, good once.
That secret is never printed; the link is, for it is worth nothing once it has been opened.
"""

from __future__ import annotations

import http.client
import json
import re
import sys
from typing import Any
from urllib.parse import urlsplit

from mcp_workbench import discovery
from mcp_workbench.discovery import Entry
from mcp_workbench.relay.choosing import find_named
from mcp_workbench.views.browser import open_near
from mcp_workbench.views.page import link_line
from mcp_workbench.wording import plain

TIMEOUT_S = 10.0
MAX_ANSWER_BYTES = 4096
SHOWN = ("name", "kernel_id", "notebook", "pid")
"""Fields of an entry that are printed; the secret is not among them."""

NONE_RUNS = "No kernel serves. In a notebook: import mcp_workbench as wb; wb.start()"


class NotOpened(Exception):
    """Why there is no page.

    Args:
        exit_code: The command's.
        sentence: For the person.
        kernels: Those that could be meant.
    """

    def __init__(self, exit_code: int, sentence: str, kernels: tuple[Entry, ...] = ()) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code
        self.sentence = sentence
        self.kernels = kernels


def open_panel(notebook: str | None, *, browser: bool, as_json: bool) -> int:
    """Open the page of a kernel and print its address.

    Args:
        notebook: Name, path or kernel id of the one meant; None: the only one.
        browser: Ask a browser to open it.
        as_json: Print one JSON document instead of text.

    Returns:
        The exit code: 0 printed, and opened where that is possible; 1 no such kernel, or it gave no link; 2 several, and none chosen.
    """
    try:
        entry = choose(discovery.find_views(), notebook)
        link = ask_for_link(entry)
    except NotOpened as reason:
        _print_reason(reason, as_json=as_json)
        return reason.exit_code
    if not as_json:
        print(link_line(link), flush=True)  # before a browser is waited for
    opened = browser and open_near(link)
    if as_json:
        print(json.dumps({"url": link, "opened": opened, **_facts(entry)}, indent=2))
    return 0


def choose(entries: list[Entry], notebook: str | None) -> Entry:
    """The kernel that is meant.

    Args:
        entries: Those that run, latest started first.
        notebook: Name, its beginning, path or kernel id; None: the only one.

    Raises:
        NotOpened: There is none, or several.
    """
    running = tuple(entries)
    if not running:
        raise NotOpened(1, NONE_RUNS)
    found = running if notebook is None else find_named(notebook, running) or _begin_with(notebook, running)
    if not found:
        raise NotOpened(1, f"No kernel serves {plain(str(notebook)[:200])}. Those that serve:", running)
    if len(found) > 1:
        raise NotOpened(2, "Several kernels serve. Name one, by notebook or kernel id: mcp-workbench panel NOTEBOOK", found)
    return found[0]


def _begin_with(notebook: str, running: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """Those whose names begin so; for a page that a person looks at this is near enough, and several are told of."""
    beginning = notebook.casefold()
    return tuple(entry for entry in running if beginning and entry.name.casefold().startswith(beginning))


def ask_for_link(entry: Entry) -> str:
    """Have a kernel make a link to its page.

    Raises:
        NotOpened: It does not answer, or not as it should.
    """
    parts = urlsplit(entry.url)
    # Not urllib's opener: that one goes by way of the proxies of the environment, and the secret would go with it.
    kind = http.client.HTTPSConnection if parts.scheme == "wss" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", "/panel/link", headers={"Authorization": f"Bearer {entry.token.reveal()}"})
        with connection.getresponse() as response:  # a long answer is not read to its end
            status, body = response.status, response.read(MAX_ANSWER_BYTES)
    except (OSError, http.client.HTTPException) as error:
        raise NotOpened(1, f"The kernel of {plain(entry.name)} does not answer ({type(error).__name__}): is it being stopped?") from None
    finally:
        connection.close()
    link = _link_in(body, parts.netloc) if status == http.client.OK else None
    if link is None:
        raise NotOpened(1, f"The kernel of {plain(entry.name)} gave no link (HTTP {status}): it may run another version of mcp_workbench.")
    return link


def _link_in(body: bytes, authority: str) -> str | None:
    """The link in an answer; a browser is sent to this very server, whatever is answered."""
    try:
        url = json.loads(body)["url"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    good = isinstance(url, str) and re.fullmatch(rf"https?://{re.escape(authority)}/panel/open/[A-Za-z0-9_-]+", url)
    return url if good else None


def _print_reason(reason: NotOpened, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"url": None, "opened": False, "error": reason.sentence, "kernels": [*map(_facts, reason.kernels)]}, indent=2))
        return
    print(reason.sentence, file=sys.stderr)
    for entry in reason.kernels:
        print("  " + plain(f"{entry.name}  {entry.kernel_id}  {entry.notebook or ''}".rstrip()), file=sys.stderr)


def _facts(entry: Entry) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in SHOWN}
