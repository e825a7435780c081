"""Pieces of HTML for displays in notebooks: inline CSS, no script, nothing loaded from anywhere.

Colours are those of the front end (JupyterLab's and VS Code's variables, with fallbacks that can be read on light
and dark); texts inherit theirs. Made of `div` and `span` only: front ends style tables in their own way.
Whatever clients, data or authors have named goes through `text` first; the other functions take markup.
"""

from __future__ import annotations

import html

GOOD = "var(--jp-success-color1, var(--vscode-testing-iconPassed, #2e9e4f))"
BAD = "var(--jp-error-color1, var(--vscode-errorForeground, #e0443e))"
ACCENT = "var(--jp-brand-color1, var(--vscode-charts-blue, #2f81d8))"
ODD = "var(--jp-warn-color1, #c2851c)"
"""Neither good nor bad: cancelled, refused."""
WAIT, RUN, SEND = "#c9a227", "#3b82d0", "#7aa65a"
"""The parts of a call, in these colours in the panels too."""
MONO = "font-family:var(--jp-code-font-family, var(--vscode-editor-font-family, monospace))"
SANS = "font-family:var(--jp-ui-font-family, var(--vscode-font-family, system-ui, sans-serif))"
FAINT = "opacity:.62"
LINE = "rgba(128,128,128,.35)"
ONE_LINE = "white-space:nowrap;overflow:hidden;text-overflow:ellipsis"
_NAME_CH = 18


def text(text: str) -> str:
    """Somebody's text, as text."""
    return html.escape(text)


def strong(words: str) -> str:
    """Text that is to be seen first."""
    return span("font-weight:600", text(words))


def faint(words: str) -> str:
    """Text that steps back; nothing for none."""
    return span(f"{FAINT};white-space:nowrap", text(words)) if words else ""


def name(words: str) -> str:
    """The name of a tool, or the like: cut where there is no room, but never so much that it cannot be told from others."""
    return span(f"{MONO};{ONE_LINE};min-width:{min(len(words), _NAME_CH)}ch", text(words), title=words)


def title(words: str) -> str:
    """What stands over a part."""
    return box(f"{FAINT};font-weight:600", text(words))


def and_more(left: int, noun: str) -> str:
    """`and 3 more calls`; nothing where none are left."""
    return faint(f"and {left} more {noun}{'' if left == 1 else 's'}") if left > 0 else ""


def box(style: str, *inner: str, mark: str = "") -> str:
    """A block of markup, with a class by which it is found."""
    named = f' class="{text(mark)}"' if mark else ""
    return f'<div{named} style="{style}">{"".join(inner)}</div>'


def span(style: str, *inner: str, title: str = "") -> str:
    """Markup in a line; `title` is plain text that shows under the pointer."""
    hover = f' title="{text(title)}"' if title else ""
    return f'<span style="{style}"{hover}>{"".join(inner)}</span>'


def framed(*inner: str, mark: str = "") -> str:
    """What stands around a whole display."""
    frame = f"border:1px solid {LINE};border-radius:6px;padding:8px 12px;max-width:1040px"
    return box(f"{SANS};font-size:12px;line-height:1.5;color:inherit;{frame}", *inner, mark=mark)
