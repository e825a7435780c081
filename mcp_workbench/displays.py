"""Rich displays of IPython that are made in a call: `display(x)` there does not land in a cell.

A display has no cell of its own outside the main thread, so it would appear in whichever cell ran last. While a
server runs, the publishers of the shell first ask for a sink (`execution/output.py` has one per call) and give it
the text of the display. Every kind is lent to us: the shell's own, the one it has just now, and the one that
`%%capture` puts in its place; that it also puts other streams in place of the shell's is told to who follows those.
So are the hooks that show the value of an expression, for code that calls `sys.displayhook`.
IPython is not imported: where it is not loaded, nobody displays.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

from mcp_workbench.patches import Patches

SinkHere = Callable[[], Callable[[str], None] | None]
"""Where the text of a display goes that is made by the code that asks; None: where it always went."""


def route_displays(patches: Patches, sink_here: SinkHere, on_capture: Callable[[], None]) -> None:
    """Begin.

    Args:
        patches: Take it back.
        sink_here: Asked at each display.
        on_capture: A cell has begun to capture: `sys.stdout` and `sys.stderr` are others now.
    """
    publishing = sys.modules.get("IPython.core.displaypub")
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if publishing is None or shell is None:
        return
    publishers = (shell.display_pub_class, type(shell.display_pub), publishing.CapturingDisplayPublisher)
    for publisher in dict.fromkeys(publishers):
        patches.replace(publisher, "publish", _published_apart(publisher.publish, sink_here))
        patches.replace(publisher, "clear_output", _cleared_apart(publisher.clear_output, sink_here))
    capturing_hook = getattr(sys.modules.get("IPython.core.displayhook"), "CapturingDisplayHook", None)
    between_cells = getattr(sys.modules.get("ipykernel.displayhook"), "ZMQDisplayHook", None)
    for hook in dict.fromkeys(filter(None, (type(shell.displayhook), capturing_hook, between_cells))):
        patches.replace(hook, "__call__", _value_shown_apart(hook.__call__, sink_here))
    capturing = getattr(sys.modules.get("IPython.utils.capture"), "capture_output", None)
    if capturing is not None:
        patches.replace(capturing, "__enter__", _captured_and_told(capturing.__enter__, sink_here, on_capture))


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


def _value_shown_apart(show: Callable[..., None], sink_here: SinkHere) -> Callable[..., None]:
    def show_apart(self: Any, value: object = None) -> None:
        sink = sink_here()
        if sink is None:
            show(self, value)
        elif value is not None:
            sink(repr(value))

    return show_apart


def _captured_and_told(enter: Callable[[Any], Any], sink_here: SinkHere, on_capture: Callable[[], None]) -> Callable[[Any], Any]:
    def enter_and_tell(self: Any) -> Any:
        captured = enter(self)
        if sink_here() is None:  # what a call captures for itself is left to it
            on_capture()
        return captured

    return enter_and_tell


def _text_of(data: object) -> str:
    """The text form of a display, else what forms it has."""
    if not isinstance(data, Mapping):
        return f"<{type(data).__name__}>"
    text = data.get("text/plain")
    return text if isinstance(text, str) else f"<{', '.join(str(kind)[:80] for kind in data)}>"
