"""What clients, data and authors could write to become more than text, and a look at a page for whether any of it did.

The same texts are served to the page of its own and to JupyterLab; `OPENING` is Python for a cell or a program.
"""

from __future__ import annotations

from playwright.sync_api import Locator

from mcp_workbench.client import ClientSession
from mcp_workbench.errors import PeerError
from mcp_workbench.protocol.wire import Implementation

MARKUP = (
    "<img src=x onerror=\"alert('ran')\"><script>alert('ran')</script><svg onload=alert(1)></svg>"
    "<iframe src='javascript:alert(2)'></iframe>"
    "<a href='javascript:alert(3)' data-commandlinker-command='help:about'>link</a>\"'><style>*{display:none}</style>"
    "<object data='https://evil.example/x'></object>![x](https://evil.example/y.png) javascript:alert(4) $\\href{javascript:alert(5)}{x}$"
)
"""Not a character of it acts by itself; as markup it would do all that is forbidden."""
ACTING = "\x1b[31mred\x1b[0m \x9b2J \u202eltr\u2066iso\u200bzero\ufeff\x07\r"
"""Characters that act."""
NASTY = MARKUP + ACTING
LINK = "javascript:alert('link')//<img src=x onerror=alert(6)>"
LONG = "<b>long</b>" * 90_000

OPENING = f"""
import logging, threading, warnings
import mcp_workbench as wb
import pandas as pd
from mcp_workbench.protocol.wire import EmbeddedResource, ResourceLink, ResourceContents

NASTY, LINK, LONG = {NASTY!r}, {LINK!r}, {LONG[:11]!r} * 90_000
table = pd.DataFrame({{
    NASTY: [NASTY, "nul \\0 here"],
    "lone": pd.Series(["\\ud800", LONG], dtype=object),
    LONG[:3000]: [1, 2],
    LINK: [LINK, None],
}})
free = threading.Event()

@wb.tool(title=NASTY, description=NASTY)
def says(text: str, ctx: wb.Context) -> dict[str, str]:
    print(NASTY)
    ctx.log(NASTY)
    ctx.report_progress(1, 4, NASTY)
    logging.getLogger(NASTY).warning(NASTY)
    return {{NASTY: text, "nul": "\\0", "link": LINK}}

@wb.tool
def raises() -> str:
    raise ValueError(NASTY + "\\0")

@wb.tool
def long() -> str:
    return LONG

@wb.tool
def long_error() -> str:
    raise ValueError(LONG)

@wb.tool
def links() -> list:
    return [
        ResourceLink(uri=LINK, name=NASTY, title=NASTY, description=NASTY, mime_type="text/html"),
        EmbeddedResource(resource=ResourceContents(uri=LINK, mime_type="text/html", text=NASTY)),
    ]

@wb.tool
def waits(ctx: wb.Context) -> None:
    ctx.report_progress(1, 4, NASTY)
    free.wait(60)

@wb.tool
def set_free() -> None:
    free.set()

@wb.resource("page://hostile", name="hostile", mime_type="text/html")
def page() -> str:
    return NASTY

@wb.prompt
def asks(topic: str) -> str:
    return NASTY + topic

wb.publish(table=table)
wb.start(name=NASTY[:180])
"""
CLIENT = Implementation(name=NASTY, version=NASTY, title=NASTY)
LONG_CLIENT = Implementation(name=LONG[:100_000], version="1")


async def say_it_all(session: ClientSession) -> None:
    """Everything a client can make appear in a view."""
    for text in (NASTY, LINK, LONG):
        await session.call_tool("says", {"text": text}, on_progress=lambda *_: None, log_level="debug")
    for tool in ("raises", "long", "long_error", "links"):
        await session.call_tool(tool, {})
    await session.get_prompt("asks", topic=NASTY)
    await session.read_resource("page://hostile")
    for request in (
        session.call_tool(NASTY, {NASTY: NASTY}),
        session.call_tool("says", {NASTY: {NASTY: [NASTY, LINK]}}),
        session.read_resource(LINK),
        session.get_prompt(NASTY),
    ):
        try:
            await request
        except PeerError:
            continue


async def wait_for_it(session: ClientSession) -> None:
    """A call that goes on until somebody calls `set_free`."""
    await session.call_tool("waits", {})


async def set_free(session: ClientSession) -> None:
    await session.call_tool("set_free", {})


ELEMENTS = (
    "bdi", "b", "button", "canvas", "code", "dd", "details", "div", "dl", "dt", "h3", "h4", "i", "input", "label", "legend", "li", "mark",
    "ol", "option", "p", "pre", "section", "select", "span", "summary", "table", "tbody", "td", "textarea", "th", "thead", "tr", "ul",
)  # fmt: skip
ATTRIBUTES = (
    "autocomplete", "class", "data-asked", "data-name", "data-state", "data-testid", "data-tool", "disabled", "height", "hidden", "id",
    "open", "placeholder", "role", "rows", "scope", "spellcheck", "style", "tabindex", "title", "type", "value", "width",
)  # fmt: skip

LOOK = """
(root, [elements, attributes, acting]) => {
  const wrong = new Set();
  const acts = new RegExp(acting);
  for (const element of root.querySelectorAll("*")) {
    if (!elements.includes(element.localName)) wrong.add(`element ${element.localName}: ${element.outerHTML.slice(0, 200)}`);
    for (const { name, value } of element.attributes) {
      if (!attributes.includes(name) && !name.startsWith("aria-")) wrong.add(`attribute ${name}=${value.slice(0, 80)}`);
      // The value of an option is seen by nobody.
      if (name !== "value" && acts.test(value)) wrong.add(`in ${name}: ${encodeURI(value.slice(0, 300))}`);
    }
    for (const { nodeType, data } of element.childNodes) {
      if (nodeType === Node.TEXT_NODE && acts.test(data)) wrong.add(`in text of ${element.className}: ${encodeURI(data.slice(0, 300))}`);
    }
  }
  return [...wrong];
}
"""
ACTS = r"[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])"


def what_is_more_than_text(view: Locator) -> list[str]:
    """What stands in a view that is not of its own making: elements, attributes, characters that act."""
    found: list[str] = view.evaluate(LOOK, [list(ELEMENTS), list(ATTRIBUTES), ACTS])
    return found
