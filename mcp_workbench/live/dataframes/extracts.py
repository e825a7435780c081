"""`df://flights/describe`, `/sample`, `/distinct/{column}` and `/changes`: what programs and agents read besides rows, as JSON.

Each text is bounded by characters; the list in it is then shorter, and `left_out` counts what is missing. Nothing here
runs on the protocol loop. The same facts as text for a model: the tools `df_describe` and `df_changes`.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from mcp_workbench.live.dataframes.cards import taken_at
from mcp_workbench.live.dataframes.describing import ColumnFacts, Counted, Descriptions, distinct_values, sample_positions
from mcp_workbench.live.dataframes.lookup import only_known
from mcp_workbench.live.dataframes.names import Reference, parse_version, said
from mcp_workbench.live.dataframes.news import news_since
from mcp_workbench.live.dataframes.publications import Publication
from mcp_workbench.live.dataframes.rows import whole
from mcp_workbench.live.dataframes.selection import Selection, write_part
from mcp_workbench.live.dataframes.snapshots import Snapshot
from mcp_workbench.live.dataframes.tables import TableFormat
from mcp_workbench.live.dataframes.where import find_column, type_of
from mcp_workbench.primitives.binding import ArgumentError
from mcp_workbench.protocol.wire import Json
from mcp_workbench.wording import visible_json

SAMPLE_OPTIONS = ("n", "seed", "version")
DISTINCT_OPTIONS = ("limit", "version")
CHANGES_OPTIONS = ("since", "limit")
DEFAULT_SAMPLE = 10
MAX_SAMPLE = 1_000
DEFAULT_DISTINCT = 100
MAX_DISTINCT = 1_000
DEFAULT_CHANGES = 50
_LARGEST_SEED = 2**32 - 1


def describe_json(snapshot: Snapshot, descriptions: Descriptions, max_chars: int) -> str:
    """Every column with what is missing, how many different values, and from where to where."""
    about = _about(snapshot) | {"rows": len(snapshot.df), "columns_total": snapshot.df.shape[1]}
    return _with_list(about, "columns", (_column(facts) for facts in descriptions.of(snapshot)), max_chars)


def sample_json(snapshot: Snapshot, reference: Reference, max_chars: int) -> str:
    """Rows chosen by chance, as split JSON.

    Raises:
        ArgumentError: n or seed do not fit, or not even one row does.
    """
    only_known(reference, SAMPLE_OPTIONS)
    options = dict(reference.options)
    n = whole("n", options["n"], 1, MAX_SAMPLE) if "n" in options else DEFAULT_SAMPLE
    seed = whole("seed", options["seed"], 0, _LARGEST_SEED) if "seed" in options else 0
    positions = sample_positions(len(snapshot.df), n, seed)
    part = Selection(snapshot, positions).part(0, n, None)
    written = write_part(part, TableFormat.JSON, max_chars - 200 - 12 * len(positions))
    if len(part) and not written.count:
        raise ArgumentError(f"Not even one row of {part.shape[1]:,} columns fits; read df://{snapshot.name}/rows?columns=a,b.")
    about = _about(snapshot) | {"rows": len(snapshot.df), "seed": seed, "positions": positions[: written.count].tolist()}
    if written.count < len(part):
        about["left_out"] = len(part) - written.count
    return f"{_encoded(about)[:-1]},{written.text[1:]}"


def distinct_json(snapshot: Snapshot, column: str, reference: Reference, max_chars: int) -> str:
    """The different values of a column, the most frequent first.

    Raises:
        NoColumn: There is none of that name; names the nearest.
        ArgumentError: limit does not fit.
    """
    only_known(reference, DISTINCT_OPTIONS)
    options = dict(reference.options)
    limit = whole("limit", options["limit"], 1, MAX_DISTINCT) if "limit" in options else DEFAULT_DISTINCT
    values = find_column(snapshot, column)
    found = distinct_values(values, column, limit, type_of(snapshot, column, values))
    about = _about(snapshot) | {"column": found.name, "dtype": found.dtype, "rows": found.rows}
    about |= {"missing": found.missing, "distinct": found.total}
    return _with_list(about, "values", map(_counted, found.values), max_chars, total=found.total)


def changes_json(publication: Publication, reference: Reference, max_chars: int) -> str:
    """What changed between the kept versions, the latest first.

    Raises:
        ArgumentError: since or limit do not fit.
        NotFound: There is no such version yet.
    """
    only_known(reference, CHANGES_OPTIONS)
    options = dict(reference.options)
    limit = whole("limit", options["limit"], 1, 1_000) if "limit" in options else DEFAULT_CHANGES
    since = parse_version(options["since"]) if "since" in options else publication.versions[0].version - 1
    if since is None:
        nearest = publication.latest.version
        raise ArgumentError(f"since is a version like 17 or v17, not {said(options['since'])}. Nearest: {nearest} (latest).")
    news = news_since(publication, since)
    about = _about(news.latest) | {"since": since}
    about |= {key: value for key, value in (("not_kept", news.forgotten), ("no_longer_followed", news.lost)) if value}
    if news.together is not None:
        about["together"] = news.together.summary
    newest_first = news.newer[::-1]
    return _with_list(about, "changes", map(_change, newest_first[:limit]), max_chars, total=len(newest_first))


def _about(snapshot: Snapshot) -> dict[str, Json]:
    return {"name": snapshot.name, "version": snapshot.version}


def _column(facts: ColumnFacts) -> Json:
    column: dict[str, Json] = {"name": facts.name, "dtype": facts.dtype, "missing": facts.missing, "distinct": facts.distinct}
    column |= {"min": facts.least, "max": facts.greatest, "mean": facts.mean, "common": [_counted(each) for each in facts.common] or None}
    return {key: value for key, value in column.items() if value is not None}


def _counted(counted: Counted) -> Json:
    return {"value": counted.value, "rows": counted.rows}


def _change(snapshot: Snapshot) -> Json:
    return {
        "version": snapshot.version,
        "at": taken_at(snapshot),
        "kind": snapshot.kind.value,
        "summary": snapshot.summary,
        "rows": len(snapshot.df),
    }


def _with_list(about: dict[str, Json], key: str, items: Iterable[Json], max_chars: int, total: int | None = None) -> str:
    """An object with as many of the items as fit, and a count of those that are not in it."""
    room, texts, left_out = max_chars - len(_encoded(about)) - 60, [], 0
    for item in items:
        text = _encoded(item)
        room -= len(text) + 1
        if room >= 0 and not left_out:
            texts.append(text)
        else:
            left_out += 1
    if total is not None:
        left_out = total - len(texts)
    if left_out:
        about["left_out"] = left_out
    return f'{_encoded(about)[:-1]},"{key}":[{",".join(texts)}]}}'


def _encoded(value: Json) -> str:
    return visible_json(msgspec.json.encode(value).decode("utf-8"))
