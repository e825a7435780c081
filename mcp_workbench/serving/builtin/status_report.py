"""What `notebook_status` lists, and how it is written to fit: in less detail first, by names only last, never silently less."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from mcp_workbench.live.dataframes.cards import columns_line, shape_text
from mcp_workbench.live.dataframes.names import NotFound
from mcp_workbench.live.dataframes.objects import clean
from mcp_workbench.live.dataframes.publications import DataFrames
from mcp_workbench.live.dataframes.snapshots import Snapshot
from mcp_workbench.live.results import Results
from mcp_workbench.primitives.registry import Registry
from mcp_workbench.primitives.tools import ToolDefinition
from mcp_workbench.serving.builtin.fitting import counted, took
from mcp_workbench.serving.jobs import Job, Jobs
from mcp_workbench.telemetry.telemetry import Telemetry
from mcp_workbench.wording import plain

_DETAILS = ((400, 200), (160, 100), (60, 0), (0, 0))
"""Characters for the columns of a DataFrame and for what a function is for, tried in turn."""
_LISTED = 8


@dataclass(frozen=True, slots=True)
class DataFrameLine:
    """One published DataFrame."""

    name: str
    snapshot: Snapshot
    description: str | None
    lost: str | None

    def said(self, columns_chars: int, words_chars: int) -> str:
        """`flights v17 · 336,776 rows x 19 columns: year int64, …`."""
        columns = f": {columns_line(self.snapshot.df, columns_chars, self.snapshot.dtypes)}" if columns_chars else ""
        words = f" · {_first_line(self.description, words_chars)}" if words_chars and self.description else ""
        library = "" if self.snapshot.origin is None else f" · {self.snapshot.library}"
        lost = " · not followed any more" if self.lost else ""
        return f"{self.snapshot.label} · {shape_text(self.snapshot.df)}{library}{lost}{columns}{words}"


@dataclass(frozen=True, slots=True)
class FunctionLine:
    """One function of the author's."""

    name: str
    usage: str
    returns: str
    description: str
    usual_ns: int | None
    """How long a call usually takes; None when none has ended well."""

    def said(self, _columns_chars: int, words_chars: int) -> str:
        """`top_routes(flights: DataFrame, n: int = 5) -> DataFrame · usually 12 ms · Busiest routes.`."""
        returns = f" -> {self.returns}" if self.returns else ""
        usual = f" · usually {took(self.usual_ns)}" if self.usual_ns is not None else ""
        words = f" · {_first_line(self.description, words_chars)}" if words_chars and self.description else ""
        return f"{self.usage}{returns}{usual}{words}"


@dataclass(frozen=True, slots=True)
class Contents:
    """What is here, for one principal."""

    dataframes: tuple[DataFrameLine, ...]
    functions: tuple[FunctionLine, ...]
    resources: int
    prompts: int
    jobs: tuple[Job, ...]
    results: tuple[str, ...]
    """What its calls returned and is kept: `_r7`, `_r8 (text)`."""

    @property
    def counts(self) -> str:
        """`2 DataFrames, 3 functions`."""
        counts = [counted(len(self.dataframes), "DataFrame"), counted(len(self.functions), "function")]
        counts += [counted(number, noun) for number, noun in ((self.resources, "resource"), (self.prompts, "prompt")) if number]
        return ", ".join(counts)


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the contents come from; read from any thread."""

    dataframes: DataFrames
    results: Results
    tools: Registry[ToolDefinition]
    jobs: Jobs
    telemetry: Callable[[], Telemetry]
    resources: Callable[[], int]
    prompts: Callable[[], int]

    def contents(self, principal: str) -> Contents:
        """Look."""
        usual = {row.name: row.p50_ns for row in self.telemetry().by_tool()}
        return Contents(
            dataframes=tuple(self._dataframes()),
            functions=tuple(_function(tool, usual.get(tool.name)) for tool in self.tools.list()),
            resources=self.resources(),
            prompts=self.prompts(),
            jobs=self.jobs.of(principal),
            results=tuple(self.results.labels(principal)),
        )

    def _dataframes(self) -> Iterable[DataFrameLine]:
        for name in self.dataframes.names():
            try:
                publication = self.dataframes.publication(name)
            except NotFound:  # unpublished by another thread since
                continue
            yield DataFrameLine(name, publication.latest, publication.description, publication.lost)


def written_contents(contents: Contents, author: str, room: int) -> list[str]:
    """Lines within so many characters; what is left out is said.

    Args:
        contents: What is here.
        author: Who wrote the functions: "this person".
        room: How many characters.
    """
    rest = _jobs(contents.jobs) + _results(contents.results)
    room -= sum(len(line) + 1 for line in rest)
    for columns_chars, words_chars in _DETAILS:
        lines = _section("DataFrames:", contents.dataframes, columns_chars, words_chars)
        lines += _section(f"Functions of {author}, tools of the same names:", contents.functions, columns_chars, words_chars)
        if not columns_chars and contents.dataframes:
            lines.append("(Columns left out: df_describe names them.)")
        if sum(len(line) + 1 for line in lines) <= room:
            return lines + rest
    share = room // 2
    return [*_names("DataFrames", contents.dataframes, share), *_names("Functions", contents.functions, share), *rest]


def _section(title: str, items: Iterable[DataFrameLine | FunctionLine], columns_chars: int, words_chars: int) -> list[str]:
    lines = [plain(item.said(columns_chars, words_chars)) for item in items]
    return [title, *lines] if lines else []


def _names(title: str, items: tuple[DataFrameLine | FunctionLine, ...], room: int) -> list[str]:
    """By name, as many as fit."""
    if not items:
        return []
    line = f"{title}, by name only: "
    for count, item in enumerate(items):
        if len(line) + len(item.name) + 40 > room:
            return [f"{line}and {len(items) - count:,} more, left out for length"]
        line += f"{item.name}, " if count < len(items) - 1 else item.name
    return [line]


def _jobs(jobs: tuple[Job, ...]) -> list[str]:
    if not jobs:
        return []
    lines = [f"{job.id} {job.tool}: {job.standing}" for job in jobs[-_LISTED:]]
    more = [f"({len(jobs) - _LISTED} older ones left out)"] if len(jobs) > _LISTED else []
    return ["Your jobs (job_wait has their results):", *more, *lines]


def _results(names: tuple[str, ...]) -> list[str]:
    if not names:
        return []
    older = f" ({len(names) - _LISTED} older ones left out)" if len(names) > _LISTED else ""
    return [f"Results of your calls: {', '.join(names[-_LISTED:])}{older}"]


def _function(tool: ToolDefinition, usual_ns: int | None) -> FunctionLine:
    description = tool.listed.description
    return FunctionLine(tool.name, tool.arguments.usage, tool.returns, description if isinstance(description, str) else "", usual_ns)


def _first_line(text: str | None, max_chars: int) -> str:
    lines = (text or "").strip().splitlines()
    return clean(lines[0].strip(), max_chars) if lines else ""
