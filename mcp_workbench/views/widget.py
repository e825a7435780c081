"""The live panel in a cell's output: an anywidget whose model says only which kernel it belongs to.

What is shown comes over connections of the view's own (`comm` is one of them) and never through the model's state, which
front ends save with the notebook. An `AnyWidget` and not the bare comm protocol, though that would spare the import of
ipywidgets: after a page is loaded again JupyterLab asks ipywidgets for the widgets of a kernel, and would find no other.

Imported only where a panel is shown. Knows no server: `showing` joins it with one. Main thread, except `send` (any).
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mcp_workbench.version import __version__
from mcp_workbench.views.messages import VIEW_PROTOCOL

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
SWITCH = "MCP_WORKBENCH_WIDGETS"
"""Environment variable: `0` shows displays without widgets."""
STATIC = Path(__file__).parent.parent / "static"
NOT_BUILT = "wb.show() shows no live panel: its code is not built; `cd labextension`, then `jlpm install` and `jlpm build`, builds it"
FALLBACK = ""
"""Where widgets cannot be shown: the state below, which says of when it is, is all that is to be seen there."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """The code of the front end, as it was built."""

    esm: str
    css: str


def wanted() -> bool:
    """Whether widgets can be made here and nobody has switched them off. Imports nothing."""
    return os.environ.get(SWITCH) != "0" and all(importlib.util.find_spec(name) is not None for name in ("anywidget", "ipywidgets"))


def read_bundle() -> Bundle | None:
    """The front end's code; None where it was not built."""
    try:
        return Bundle((STATIC / "widget.js").read_text(encoding="utf-8"), (STATIC / "widget.css").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None


class PanelWidget:
    """One widget.

    Args:
        bundle: What the front end runs.
        panel: Which panel it opens with.
        kernel_id: Jupyter's id of this kernel, by which a gateway finds it; empty: unknown.
        static_id: Of the HTML element that it hides while it lives: `.mcpw-static-<id>`.
        on_message: Takes what the front end sends, on the main thread: content, buffers.
    """

    def __init__(self, bundle: Bundle, panel: str, kernel_id: str, static_id: str, on_message: Callable[[object, object], None]) -> None:
        state = {"panel": panel, "kernel_id": kernel_id, "static_id": static_id, "version": __version__, "view_protocol": VIEW_PROTOCOL}
        self._model = _model_class()(_esm=bundle.esm, _css=bundle.css, **state)
        self._model.on_msg(lambda _, content, buffers: on_message(content, buffers))

    @property
    def mime_bundle(self) -> dict[str, Any]:
        """What shows it."""
        view = {"version_major": 2, "version_minor": 0, "model_id": self._model.model_id}
        return {WIDGET_VIEW: view, "text/plain": FALLBACK}

    def send(self, message: Any) -> None:
        """Send one message object to the front end; from any thread."""
        self._model.send(message)

    def close(self) -> None:
        """Take it away; the front end removes what it shows."""
        layout = self._model.layout
        self._model.close()
        layout.close()  # a widget of its own, which ipywidgets makes for each


def _model_class() -> Any:
    import anywidget  # here, for it brings ipywidgets along, which not everybody has who reads this module
    from traitlets import Int, Unicode

    class Model(anywidget.AnyWidget):
        """What is synchronized, and saved by front ends; written by the kernel, and never read from the front end."""

        _esm = Unicode().tag(sync=True)
        _css = Unicode().tag(sync=True)
        kernel_id = Unicode().tag(sync=True)
        panel = Unicode().tag(sync=True)
        static_id = Unicode().tag(sync=True)
        version = Unicode().tag(sync=True)
        view_protocol = Int().tag(sync=True)

    return Model
