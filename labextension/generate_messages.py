"""Writes the messages between kernel and view as TypeScript: `python labextension/generate_messages.py`.

The types stand in `mcp_workbench/views/messages.py`; a test compares its output with `src/view/messages.ts`.
"""

from __future__ import annotations

import ast
import inspect
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec

from mcp_workbench.version import __version__
from mcp_workbench.views import messages

TARGET = Path(__file__).parent / "src" / "view" / "messages.ts"
HEAD = "// Written by labextension/generate_messages.py from mcp_workbench/views/messages.py; change that and run it again.\n"
PLAIN = {int: "number", float: "number", str: "string", bool: "boolean", type(None): "null"}


def render() -> str:
    """The whole file."""
    types = [value for value in vars(messages).values() if inspect.isclass(value) and issubclass(value, messages.Struct)]
    parts = [_interface(one) for one in types if one not in (messages.Struct, messages.Message)]
    parts += [f"export const VIEW_PROTOCOL = {messages.VIEW_PROTOCOL};\n", f'export const VERSION = "{__version__}";\n']
    for name in ("ToView", "ToKernel"):
        union = " | ".join(one.__name__ for one in getattr(messages, name).__args__)
        parts.append(f"export type {name} = {union};\n")
    return "\n".join([HEAD, *parts])


def _interface(struct: type[messages.Struct]) -> str:
    sentences = _sentences(struct)
    lines = [_comment(inspect.getdoc(struct) or ""), f"export interface {struct.__name__} {{"]
    if issubclass(struct, messages.Message):
        lines.append(f'  type: "{struct.__struct_config__.tag}";')
    for field in msgspec.structs.fields(struct):
        optional = "" if field.required else "?"
        if field.name in sentences:
            lines.append("  " + _comment(sentences[field.name]))
        lines.append(f"  {field.encode_name}{optional}: {_type(field.type)};")
    return "\n".join([*lines, "}\n"])


def _type(annotation: Any) -> str:
    if annotation in PLAIN:
        return PLAIN[annotation]
    if inspect.isclass(annotation) and issubclass(annotation, messages.Struct):
        return annotation.__name__
    arguments = getattr(annotation, "__args__", ())
    if getattr(annotation, "__origin__", None) is tuple:
        if arguments[-1] is Ellipsis:
            return (
                f"readonly ({_type(arguments[0])})[]" if len(getattr(arguments[0], "__args__", ())) else f"readonly {_type(arguments[0])}[]"
            )
        return f"readonly [{', '.join(map(_type, arguments))}]"
    if arguments:
        return " | ".join(map(_type, arguments))
    raise TypeError(f"no TypeScript for {annotation!r}: add it to {__file__}")


def _sentences(struct: type) -> dict[str, str]:
    """The strings that stand below the fields."""
    body = ast.parse(inspect.getsource(struct)).body[0]
    lines = body.body if isinstance(body, ast.ClassDef) else []
    return {
        before.target.id: inspect.cleandoc(after.value.value)
        for before, after in pairwise(lines)
        if isinstance(before, ast.AnnAssign)
        and isinstance(before.target, ast.Name)
        and isinstance(after, ast.Expr)
        and isinstance(after.value, ast.Constant)
        and isinstance(after.value.value, str)
    }


def _comment(text: str) -> str:
    return f"/** {' '.join(text.split())} */"


if __name__ == "__main__":
    TARGET.write_text(render(), encoding="utf-8")
    sys.stdout.write(f"wrote {TARGET}\n")
