"""A function's parameters as texts: what sentences show of a signature, and what two signatures are compared by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mcp_workbench.primitives.signature import MISSING, Signature
from mcp_workbench.primitives.wording import annotation_text, shorten

_MAX_USAGE = 400


@dataclass(frozen=True, slots=True)
class ParameterText:
    """One parameter as its author would write it."""

    name: str
    """As a client sends it."""
    annotation: str
    """Empty when there is none."""
    default: str | None
    """`…` stands for what is no number, text or None; None: a client must send it."""

    def __str__(self) -> str:
        annotated = f": {self.annotation}" if self.annotation else ""
        if self.default is None:
            return f"{self.name}{annotated}"
        return f"{self.name}{annotated}{' = ' if annotated else '='}{self.default}"


def parameter_texts(signature: Signature, wire_names: Mapping[str, str]) -> tuple[ParameterText, ...]:
    """The parameters in the order written.

    Args:
        signature: Whose.
        wire_names: Parameter -> the name a client sends it under; one that is missing there is never required.
    """
    return tuple(
        ParameterText(
            name=wire_names.get(parameter.name, parameter.name),
            annotation="" if parameter.annotation is MISSING else annotation_text(parameter.annotation),
            default=_default_text(parameter.default) if parameter.default is not MISSING or parameter.name not in wire_names else None,
        )
        for parameter in signature.parameters
    )


def usage_of(label: str, parameters: tuple[ParameterText, ...]) -> str:
    """The function as a call, for sentences: `add(a: int, b: int = 2)`."""
    return shorten(f"{label}({', '.join(map(str, parameters))})", _MAX_USAGE)


def _default_text(default: object) -> str:
    if default is None or type(default) in (bool, int, float, str):
        return shorten(repr(default), 30)
    return "…"
