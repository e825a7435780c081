"""Docstrings -> what a host shows: description, parameter by parameter, and what comes back.

Google, NumPy and Sphinx styles, told apart by griffe's heuristics. Nothing here fails: a docstring
that follows no style is all description.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from mcp_workbench.primitives.signature import docstring_of

_QUIET: dict[str, dict[str, bool]] = {style: {"warnings": False} for style in ("google", "numpy", "sphinx")}
"""griffe logs about missing types and unknown names: in a notebook that would land in a cell's output."""


@dataclass(frozen=True, slots=True)
class Documentation:
    """What a docstring says."""

    text: str = ""
    """Summary and description, notes included; without parameters, raises and examples."""
    parameters: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Parameter name -> its description on one line."""
    returns: str = ""
    """What comes back, on one line."""

    def description(self) -> str:
        """The text for a host: description, then what comes back."""
        returns = f"Returns: {self.returns}" if self.returns else ""
        return "\n\n".join(part for part in (self.text, returns) if part)


def read_documentation(function: Callable[..., Any]) -> Documentation:
    """The documentation of a function, method, partial or callable instance."""
    return parse_docstring(docstring_of(function))


def parse_docstring(docstring: str) -> Documentation:
    """Parse one docstring, whatever its style; never raises for its contents."""
    text = inspect.cleandoc(docstring)
    if ":" not in text and "---" not in text:
        return Documentation(text)
    # griffe takes 140 ms to import: more than the rest of this room together, and only sections need it.
    import griffe

    texts: list[str] = []
    parameters: dict[str, str] = {}
    returns: list[str] = []
    for section in griffe.parse_auto(griffe.Docstring(text), per_style_options=_QUIET):  # type: ignore[arg-type, unused-ignore]
        match section.kind.value:
            case "text":
                texts.append(section.value.strip())
            case "admonition":
                texts.append(f"{section.title}: {section.value.contents.strip()}")
            case "parameters" | "other parameters":
                parameters.update({entry.name.lstrip("*"): _one_line(entry.description) for entry in section.value})
            case "returns":
                returns.extend(_return_line(entry) for entry in section.value)
    return Documentation("\n\n".join(texts), MappingProxyType(parameters), "; ".join(line for line in returns if line))


def _return_line(entry: Any) -> str:
    description = _one_line(entry.description)
    return f"{entry.name}: {description}" if entry.name and description else description


def _one_line(text: str) -> str:
    return " ".join(text.split())
