"""`%%mcp_tool --name add --read-only`: runs a cell and offers the one public function it defines as a tool.

The same as `@wb.tool(...)` above the function. The cell is run here and not handed to the shell as a cell within the cell:
so it is one run of one cell, which fails when its code fails, and what it registers is its own.
"""

from __future__ import annotations

import argparse
import ast
import shlex
from collections.abc import Callable
from typing import Any, NoReturn

from IPython.core.error import UsageError

from mcp_workbench.errors import RegistrationError
from mcp_workbench.kernel.results import say
from mcp_workbench.primitives.wording import nearest
from mcp_workbench.wording import plain
from mcp_workbench.workbench import Workbench

_HELP = frozenset(("--help", "-h"))


class _Parser(argparse.ArgumentParser):
    """Refuses by raising, and knows its options by their names."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"%%mcp_tool: {plain(message)}. There are {', '.join(self.options())}")

    def options(self) -> list[str]:
        return [option for action in self._actions for option in action.option_strings]


def _parser() -> _Parser:
    parser = _Parser(prog="%%mcp_tool", add_help=False, allow_abbrev=False)
    parser.add_argument("--name")
    parser.add_argument("--title")
    parser.add_argument("--description")
    parser.add_argument("--tag", dest="tags", action="append")
    parser.add_argument("--read-only", action="store_const", const=True)
    parser.add_argument("--destructive", action="store_const", const=True)
    parser.add_argument("--run-on")
    parser.add_argument("--timeout-s", type=float)
    parser.add_argument("--background-after-s", type=float)
    parser.add_argument("--needs-task", action="store_const", const=True)
    parser.add_argument("--max-chars", type=int)
    parser.add_argument("--version", type=int)
    parser.add_argument("--redact", action="append")
    return parser


def make_tool(workbench: Workbench, shell: Any, line: str, cell: str) -> object:
    """Run a cell and offer its function.

    Args:
        workbench: Where it is offered.
        shell: IPython's.
        line: The options, those of `wb.tool`.
        cell: The code.

    Returns:
        The value of the cell's last line, where that is an expression.

    Raises:
        UsageError: The options cannot be read, or it is not clear which function is meant; then nothing was run. Or the function
            cannot be offered.
    """
    if _HELP & {*line.split()}:
        say(_usage())
        return None
    options = _options(line)
    source = "\n" + shell.transform_cell(cell)  # where the first line was, so that lines are counted as the cell shows them
    file = shell.compile.cache(source, shell.execution_count, raw_code=cell)
    tree = ast.parse(source, file)
    name = _the_function(tree)
    value = _run(shell, tree, file)

    def register() -> None:
        workbench.tool(shell.user_ns[name], **options)

    try:
        # From a line of the cell's own file: that is where the registrar looks whose it is.
        exec(compile("register()", file, "exec"), shell.user_ns, {"register": register})  # noqa: S102  # a line of ours
    except RegistrationError as error:
        raise UsageError(plain(str(error))) from None
    return value


def _usage() -> str:
    options = "\n".join(f"  {_option_said(action)}" for action in _parser()._actions)  # noqa: SLF001  # argparse has no other list
    return f"%%mcp_tool runs its cell and offers the one public function it defines. Options, as for @wb.tool:\n{options}"


def _option_said(action: argparse.Action) -> str:
    value = "" if action.nargs == 0 else f" {action.dest.removesuffix('s').upper()}"
    return f"{action.option_strings[0]}{value}{'  (may be repeated)' if action.dest == 'tags' else ''}"


def _options(line: str) -> dict[str, Any]:
    parser = _parser()
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise UsageError(f"%%mcp_tool: {error}; a text with spaces stands in quotes") from None
    given, unknown = parser.parse_known_args(words)
    if unknown:
        close = nearest(unknown[0], parser.options(), 1) if unknown[0].startswith("-") else []
        parser.error(f"no option {unknown[0][:40]!r}{f', nearest is {close[0]}' if close else ''}")
    return {option: value for option, value in vars(given).items() if value is not None}


def _the_function(tree: ast.Module) -> str:
    names = dict.fromkeys(node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    public = [name for name in names if not name.startswith("_")]
    if len(public) == 1:
        return public[0]
    if not public:
        private = f"; {', '.join(names)} begins with _ and counts as private" if names else ""
        raise UsageError(f"%%mcp_tool offers the function that its cell defines, and this cell defines none{private}")
    raise UsageError(
        f"%%mcp_tool offers the one function that its cell defines, and this cell defines {', '.join(public)}: "
        "let the others' names begin with _, or put @wb.tool above each that is meant"
    )


def _run(shell: Any, tree: ast.Module, file: str) -> object:
    """Run the cell's code; the value of a last line that is an expression is the cell's."""
    tree = shell.transform_ast(tree)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    compiled: Callable[..., Any] = shell.compile
    exec(compiled(tree, file, "exec"), shell.user_ns)  # noqa: S102  # the cell that the person runs
    if not isinstance(last, ast.Expr):
        return None
    return eval(compiled(ast.Expression(last.value), file, "eval"), shell.user_ns)  # noqa: S307  # its last line
