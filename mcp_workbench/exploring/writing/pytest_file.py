"""Calls -> a pytest file that makes them again and fails when a tool promises or answers something else.

The file needs pytest and `mcp_workbench.testing`, and is meant to be read and edited. Whatever clients or servers have said stands
in it as literals, never as code or in a comment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from mcp_workbench.exploring.call import Call
from mcp_workbench.exploring.comparing.answers import answer_of, asks_server
from mcp_workbench.exploring.comparing.asking import not_again, params_again
from mcp_workbench.exploring.comparing.contract import Listed, promise_of, tools_of
from mcp_workbench.exploring.comparing.playing import WITHHELD, Asked
from mcp_workbench.exploring.comparing.questions import Question
from mcp_workbench.exploring.writing.literals import MAX_DEPTH, depth, literal, name_of
from mcp_workbench.jsonrpc import encode
from mcp_workbench.telemetry.records import CALL_TOOL
from mcp_workbench.version import __version__
from mcp_workbench.wording import counted

MOST = 1000
"""Calls of one file."""
LONGEST = 50_000
"""Bytes of an answer that stands in one."""

_HEAD = '''"""Makes {calls} again, and fails when a tool promises or answers something else.

Written by mcp-workbench {version}; meant to be edited. {where}
The calls are made in their order, in one session, each time this file is run: also those of tools that change something.
What stands in an answer at the places in VOLATILE is not compared.{answered}
"""

from __future__ import annotations
{imports}
import pytest

from mcp_workbench.testing import Server

{names}VOLATILE = {volatile}


@pytest.fixture(scope="module")
def server():
    with Server({server}, volatile=VOLATILE{asks}) as server:
        yield server
'''
_OF_COMMAND = "The server is started with COMMAND, and spoken with over its stdin\nand stdout."
_OF_ADDRESS = "The server is at the address in the environment\nvariable MCP_SERVER, else at URL; MCP_SERVER_TOKEN has its token."
_OF_ENVIRONMENT = "The server is at the address in the environment\nvariable MCP_SERVER; MCP_SERVER_TOKEN has its token."
_ANSWERED = """
Where a call has answers, they are what its client answered to questions of the server's; a question that has none fails the test."""
_TOKEN = 'token=os.environ.get("MCP_SERVER_TOKEN")'  # noqa: S105  # the name of the variable

_PROMISE = """

{skip}def test_promise_of_{name}(server):
    assert server.promise({tool}) == {promise}
"""
_CALL = """

{skip}def test_{name}(server):
    answer = server.{asked}
    assert answer == {answer}
"""


def pytest_file(
    calls: Sequence[Call],
    offered: Mapping[str, Listed],
    asked: Asked,
    *,
    command: Sequence[str] | None = None,
    url: str | None = None,
) -> str:
    """The text of the file.

    Args:
        calls: With what is secret withheld.
        offered: What tools promised, as far as that is known.
        asked: What clients were asked meanwhile, with what is secret withheld, and the places in answers that are not compared.
        command: Starts the server; None: it is at an address.
        url: The address, where the environment names none.

    Raises:
        ValueError: There is no call that can be made again, or there are too many.
    """
    wanted = [call for call in calls if _is_wanted(call) and not asked.questions.went_on(call)]
    if not 0 < len(wanted) <= MOST:
        raise ValueError(f"a test file makes 1 to {MOST:,} calls; {len(wanted):,} of these can be made: narrow them with .where(filter)")
    tools = dict.fromkeys(call.target for call in wanted if call.method == CALL_TOOL)
    promised = {tool: promise_of(listed) for tool, listed in tools_of(offered.values()).items() if tool in tools}
    head = _head(len(wanted), asked, command, url)
    names = _Names()
    promises = [_promise(tool, promise, names) for tool, promise in promised.items()]
    return "".join([head, *promises, *(_test(call, names, asked) for call in wanted)])


def _is_wanted(call: Call) -> bool:
    return asks_server(call.record) and call.method != "tools/list" and call.request is not None


def _head(calls: int, asked: Asked, command: Sequence[str] | None, url: str | None) -> str:
    if command is not None:
        where, names, server, imports = _OF_COMMAND, f"COMMAND = {literal(list(command))}\n", "COMMAND", ""
    else:
        default = "" if url is None else ", URL"
        where, names = (_OF_ENVIRONMENT, "") if url is None else (_OF_ADDRESS, f"URL = {literal(url)}\n")
        server, imports = f'os.environ.get("MCP_SERVER"{default}), {_TOKEN}', "\nimport os\n"
    return _HEAD.format(
        calls=counted(calls, "call"),
        version=__version__,
        where=where,
        imports=imports,
        names=names,
        volatile=literal(list(asked.volatile.texts)),
        server=server,
        asks=_asks(asked),
        answered=_ANSWERED if asked.questions.methods() else "",
    )


def _promise(tool: str, promise: Any, names: _Names) -> str:
    reason = _unfit(promise, "what it promises")
    return _PROMISE.format(
        skip=_skip(reason), name=names.of(tool), tool=literal(tool), promise="..." if reason else literal(promise, 4, 31 + len(repr(tool)))
    )


def _skip(reason: str | None) -> str:
    return f"@pytest.mark.skip({literal(reason)})\n" if reason else ""


def _asks(asked: Asked) -> str:
    """What the client says that it can be asked, where it was asked anything."""
    said = msgspec.to_builtins(asked.abilities)
    declared = {name: able if depth(able) <= MAX_DEPTH else {} for name, able in said.items()}
    return f", asks={literal(declared)}" if asked.questions.methods() else ""


def _test(call: Call, names: _Names, asked: Asked) -> str:
    answer, answers = answer_of(call, asked.volatile), [_answer(question) for question in asked.questions.of(call)]
    unfit = (
        _unfit(params_again(call), "what it asked") or _unfit(answer, "what it answered") or _unfit(answers, "what its client was asked")
    )
    reason = not_again(call, asked.questions) or unfit
    return _CALL.format(
        skip=_skip(reason),
        name=names.of(call.target or call.method, numbered=True),
        asked=_asked(call, [] if reason else answers) if depth(call.params) <= MAX_DEPTH else "ask(...)",
        answer="..." if reason else literal(answer, 4, 17),
    )


def _answer(question: Question) -> dict[str, Any]:
    """A question and its answer, as `testing.Server` takes them."""
    params = {name: value for name, value in question.params.items() if name != "_meta"}
    if question.error is not None:
        code, message, _ = question.error
        return {"method": question.method, "params": params, "error": {"code": code, "message": message}}
    return {"method": question.method, "params": params, "result": question.result}


def _asked(call: Call, answers: list[dict[str, Any]]) -> str:
    params = params_again(call)
    given = f", answers={literal(answers, 4, 4)}" if answers else ""
    if call.method == CALL_TOOL and set(params) <= {"name", "arguments"}:
        name = params.get("name", "")
        return f"call({literal(name)}, {literal(params.get('arguments') or {}, 4, 24 + len(repr(name)))}{given})"
    return f"ask({literal(call.method)}, {literal(params, 4, 23 + len(call.method))}{given})"


def _unfit(value: Any, what: str) -> str | None:
    """Why a value cannot stand in a file."""
    written = encode(value)
    if WITHHELD in written:
        return f"a secret was withheld of {what}"
    if depth(value) > MAX_DEPTH:
        return f"{what} is nested deeper than {MAX_DEPTH} levels"
    if len(written) > LONGEST:
        return f"{what} has {len(written):,} bytes, too long to be read here: wb.traffic.verify compares recordings"
    return None


class _Names:
    """Names of tests; each once."""

    def __init__(self) -> None:
        self._numbers = 0
        self._taken: set[str] = set()

    def of(self, text: str, *, numbered: bool = False) -> str:
        """A name; of a call with its number, so that the order is seen."""
        self._numbers += numbered
        name = name_of(text) or "call"
        wanted = f"{self._numbers}_{name}" if numbered else name
        while wanted in self._taken:
            wanted += "_"
        self._taken.add(wanted)
        return wanted
