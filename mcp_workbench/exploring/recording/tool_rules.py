"""What tools' authors want withheld (`redact=`), in whatever message it comes: the call, its answer, and where that comes later.

A call may be answered at once, go on as a task that is asked for and told of, or as a job for which `job_wait` waits. So it is
remembered for which tool a request, a task and a job were; of tasks and jobs that are not known, because they began before the recording or
long ago, what any tool withholds is withheld. Which places those are is decided here, what stands in them then in `redaction`.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from mcp_workbench.primitives.argument_paths import Path, parse_path, replace_at

MAX_OPEN = 100_000
"""Requests without an answer: more than all sessions of a server may have. Where one is forgotten, what any tool withholds is."""
MAX_FOLLOWED = 10_000
"""Tasks, and as many jobs, of which it is known for which tool they are."""
_JOB_TOOLS = frozenset(("job_wait", "job_cancel"))
_JOB = re.compile(r"\bj(\d{1,9})\b")
_LONGEST = 1000
"""Characters of a text in which it is said as which job a call goes on."""
_Request = tuple[str, str | int]
"""Session and id."""


class ToolRules:
    """Of one recording. One thread at a time."""

    def __init__(self) -> None:
        self.by_tool: dict[str, Sequence[str]] = {}
        """Tool -> places, as `redact=` names them."""
        self._paths: dict[str, tuple[Path, ...]] = {}
        self._open: OrderedDict[_Request, _Asked] = OrderedDict()
        self._tasks: OrderedDict[str, frozenset[str]] = OrderedDict()
        self._jobs: OrderedDict[int, frozenset[str]] = OrderedDict()
        self._forgotten: set[str] = set()
        """Sessions with a request of which nothing is known any more."""

    def __bool__(self) -> bool:
        return bool(self.by_tool)

    @property
    def waiting(self) -> bool:
        """Whether any answer may come that is to be looked at whatever it says."""
        return bool(self._open or self._forgotten)

    def learn(self, by_tool: Mapping[str, Sequence[str]]) -> bool:
        """What is offered now, beside what was; says whether that is news."""
        both = {**self.by_tool, **by_tool}  # calls of what was offered a moment ago may still come
        if both == self.by_tool:
            return False
        self.by_tool = both
        self._paths = {tool: tuple(map(parse_path, paths)) for tool, paths in both.items()}
        return True

    def names(self) -> Iterable[str]:
        """The names by which places are called."""
        for path in self._of(self._paths):
            yield next(step for step in reversed(path) if isinstance(step, str))

    def forget(self, session: str) -> None:
        """It has ended: nothing is answered there any more."""
        self._forgotten.discard(session)
        for request in [request for request in self._open if request[0] == session]:
            del self._open[request]

    def of(self, entry: dict[str, Any], session: str) -> Places | None:
        """What is to be withheld in a message; None: nothing, or it is for no tool that withholds anything."""
        request_id, told = entry.get("id"), _object(entry.get("params") if "method" in entry else entry.get("result"))
        key = (session, request_id) if isinstance(request_id, str | int) else None
        asked = self._asked(str(entry["method"]), told) if "method" in entry else None if key is None else self._open.pop(key, None)
        if asked is None and "method" not in entry and session in self._forgotten:
            asked = _Asked(frozenset(self.by_tool), in_pieces=True)
        if asked is None:
            return None
        if "method" not in entry:
            self._follow(told, asked.tools)
        elif key is not None:
            self._open[key] = asked
            if len(self._open) > MAX_OPEN:
                self._forgotten.add(self._open.popitem(last=False)[0][0])
        return Places(tuple(self._of(asked.tools)), whole_texts=asked.in_pieces and "method" not in entry)

    def _of(self, tools: Iterable[str]) -> Iterable[Path]:
        return (path for tool in tools for path in self._paths.get(tool, ()))

    def _asked(self, method: str, params: dict[str, Any]) -> _Asked | None:
        if method == "tools/call":
            return self._called(params.get("name"), _object(params.get("arguments")))
        if method.startswith(("tasks/", "notifications/tasks")):
            return _Asked(self._tasks.get(str(params.get("taskId")), frozenset(self.by_tool)))
        return _Asked(frozenset(self.by_tool)) if method.startswith("notifications/") else None

    def _called(self, name: object, arguments: dict[str, Any]) -> _Asked | None:
        if name == "notebook_call":
            name, arguments = arguments.get("function"), _object(arguments.get("arguments"))
        if name in _JOB_TOOLS:
            number = re.search(r"\d{1,9}", str(arguments.get("job"))[:_LONGEST])
            tools = frozenset(self.by_tool) if number is None else self._jobs.get(int(number[0]), frozenset(self.by_tool))
            return _Asked(tools, in_pieces=bool(arguments.get("offset")))
        return _Asked(frozenset((name,))) if isinstance(name, str) and name in self.by_tool else None

    def _follow(self, result: dict[str, Any], tools: frozenset[str]) -> None:
        """The call may go on: as a task, or as a job."""
        for task in (result, _object(result.get("task"))):
            if isinstance(task_id := task.get("taskId"), str):
                _put(self._tasks, task_id, tools)
        for text in _texts(result):
            for number in _JOB.findall(text[:_LONGEST]):
                _put(self._jobs, int(number), tools)


class _Asked:
    """What a request was for."""

    __slots__ = ("in_pieces", "tools")

    def __init__(self, tools: frozenset[str], *, in_pieces: bool = False) -> None:
        self.tools = tools
        self.in_pieces = in_pieces
        """The answer may begin in the middle of a value."""


class Places:
    """What is to be withheld in one message.

    Args:
        paths: Places in arguments and results.
        whole_texts: Withhold each text that is no JSON of its own.
    """

    __slots__ = ("_whole_texts", "paths")

    def __init__(self, paths: tuple[Path, ...], *, whole_texts: bool = False) -> None:
        self.paths = paths
        self._whole_texts = whole_texts

    @property
    def names(self) -> frozenset[str]:
        """Arguments that are withheld as they are: so are members of that name."""
        return frozenset(path[0] for path in self.paths if len(path) == 1 and isinstance(path[0], str))

    def replace_in(self, entry: dict[str, Any], replace: Callable[[Any], Any]) -> None:
        """Replace what is in the arguments, and in results where they repeat them: structured parts, and texts that are JSON."""
        params, result = _object(entry.get("params")), _object(entry.get("result"))
        for path in self.paths:
            arguments = params.get("arguments")
            replace_at(arguments, path, replace)
            replace_at(_object(arguments).get("arguments"), path, replace)
        for each in (result, _object(result.get("result")), _object(params.get("result")), _object(entry.get("error"))):
            self._replace_in_result(each, replace)

    def _replace_in_result(self, result: dict[str, Any], replace: Callable[[Any], Any]) -> None:
        for path in self.paths:
            replace_at(result.get("structuredContent"), path, replace)
            replace_at(result.get("data"), path, replace)
        content = result.get("content")
        for block in content if isinstance(content, list) else ():
            if isinstance(block, dict) and isinstance(text := block.get("text"), str):
                block["text"] = self._replaced_in_text(text, replace)

    def _replaced_in_text(self, text: str, replace: Callable[[Any], Any]) -> str:
        inner = read_inner(text)
        if inner is None:
            return str(replace(text)) if self._whole_texts else text
        for path in self.paths:
            inner = replace_at(inner, path, replace)
        return msgspec.json.encode(inner).decode()


def read_inner(text: str) -> Any:
    """The JSON that a text is; None: it is none, or one of more than can be read."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, UnicodeEncodeError, RecursionError):
        return None


_K = TypeVar("_K")


def _put(followed: OrderedDict[_K, frozenset[str]], key: _K, tools: frozenset[str]) -> None:
    followed[key] = followed.pop(key, frozenset()) | tools
    if len(followed) > MAX_FOLLOWED:
        followed.popitem(last=False)


def _texts(result: dict[str, Any]) -> Iterable[str]:
    content = result.get("content")
    for block in content if isinstance(content, list) else ():
        if isinstance(block, dict) and isinstance(text := block.get("text"), str):
            yield text


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
