"""Rich displays of IPython that are made in a call: `display(x)` there does not land in a cell.

A display has no cell of its own outside the main thread, so it would appear in whichever cell ran last. While a
server runs, the publishers of the shell first ask for a sink (`execution/output.py` has one per call) and give it
the text of the display. Both kinds are lent to us: the shell's, and the one that `%%capture` puts in its place.
IPython is not imported: where it is not loaded, nobody displays.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

from mcp_workbench.patches import Patches

SinkHere = Callable[[], Callable[[str], None] | None]
"""Where the text of a display goes that is made by the code that asks; None: where it always went."""


def route_displays(patches: Patches, sink_here: SinkHere) -> None:
    """Begin.

    Args:
        patches: Take it back.
        sink_here: Asked at each display.
    """
    publishing = sys.modules.get("IPython.core.displaypub")
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if publishing is None or shell is None:
        return
    for publisher in dict.fromkeys((type(shell.display_pub), publishing.CapturingDisplayPublisher)):
        patches.replace(publisher, "publish", _published_apart(publisher.publish, sink_here))
        patches.replace(publisher, "clear_output", _cleared_apart(publisher.clear_output, sink_here))


def _published_apart(publish: Callable[..., None], sink_here: SinkHere) -> Callable[..., None]:
    def publish_apart(self: Any, data: Any, *args: Any, **kwargs: Any) -> None:
        sink = sink_here()
        if sink is None:
            publish(self, data, *args, **kwargs)
        else:
            sink(_text_of(data))

    return publish_apart


def _cleared_apart(clear: Callable[..., None], sink_here: SinkHere) -> Callable[..., None]:
    def clear_apart(self: Any, *args: Any, **kwargs: Any) -> None:
        if sink_here() is None:
            clear(self, *args, **kwargs)

    return clear_apart


def _text_of(data: object) -> str:
    """The text form of a display, else what forms it has."""
    if not isinstance(data, Mapping):
        return f"<{type(data).__name__}>"
    text = data.get("text/plain")
    return text if isinstance(text, str) else f"<{', '.join(str(kind)[:80] for kind in data)}>"
