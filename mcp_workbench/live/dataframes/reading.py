"""DataFrames as MCP resources: what is listed, what a URI means, what reading it gives.

`df://flights` is a card, `df://flights/schema` every column, `df://flights/rows?…` a page of rows, and there are
`extracts`; results (`df://_r7`) are read the same way by the principal they belong to. Every URI of one DataFrame is one topic,
so whoever subscribed to `df://flights/rows?limit=5` hears of every change of `flights`.
Sessions and subscriptions are elsewhere; nothing here runs on the protocol loop.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from msgspec import UNSET

from mcp_workbench.live.dataframes.cards import card, schema
from mcp_workbench.live.dataframes.describing import Descriptions
from mcp_workbench.live.dataframes.extracts import (
    CHANGES_OPTIONS,
    DISTINCT_OPTIONS,
    SAMPLE_OPTIONS,
    changes_json,
    describe_json,
    distinct_json,
    sample_json,
)
from mcp_workbench.live.dataframes.lookup import Lookup, only_known
from mcp_workbench.live.dataframes.names import NotFound, Reference, is_result, parse_uri, said
from mcp_workbench.live.dataframes.publications import DataFrames, Publication
from mcp_workbench.live.dataframes.rows import MAX_CHARS, OPTIONS, parse_request, read_page
from mcp_workbench.live.dataframes.snapshots import Snapshot
from mcp_workbench.live.results import Results
from mcp_workbench.primitives.wording import nearest
from mcp_workbench.protocol.wire import Json, Resource, ResourceContents, ResourceTemplate

# Inside a class with a method `list`, annotations cannot say `list[…]`.
Listed: TypeAlias = list[Resource]
Templates: TypeAlias = list[ResourceTemplate]
Contents: TypeAlias = list[ResourceContents]

CARD_MIME_TYPE = "text/markdown"
_PARTS = ("schema", "rows", "describe", "sample", "changes")
_DISTINCT = "distinct"
_JSON = "application/json"
_SCHEMAS_KEPT = 32
_ROWS = "Rows as csv (default), json, markdown; columns=a,b; where=a > 5 AND b = 'x'; order=a desc; limit up to 10,000."
_FORMS = (
    ("{?version}", "dataframe", "Card of a published DataFrame or a result: shape, columns, first rows.", CARD_MIME_TYPE),
    ("/schema{?version}", "dataframe-schema", "Every column with dtype, missing values and examples.", _JSON),
    (f"/rows{{?{','.join(OPTIONS)}}}", "dataframe-rows", _ROWS, "text/csv"),
    ("/describe{?version}", "dataframe-describe", "Every column with missing and different values, range, mean, what is common.", _JSON),
    (f"/sample{{?{','.join(SAMPLE_OPTIONS)}}}", "dataframe-sample", "Rows chosen by chance; the same for the same seed.", _JSON),
    (f"/distinct/{{column}}{{?{','.join(DISTINCT_OPTIONS)}}}", "dataframe-distinct", "Different values of a column by frequency.", _JSON),
    (f"/changes{{?{','.join(CHANGES_OPTIONS)}}}", "dataframe-changes", "What changed between the versions that are kept.", _JSON),
)
"""Form of the URI, name, description, MIME type."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a URI means."""

    reference: Reference
    part: str
    """`` (the card), `schema`, `rows`, `describe`, `sample`, `changes` or `distinct`."""

    @property
    def topic(self) -> str:
        """What changes when this does; the same for every URI of one DataFrame."""
        return topic(self.reference.name)


def topic(name: str) -> str:
    """The topic of a published DataFrame or result."""
    return f"df://{name}"


class DataFrameResources:
    """The resources of one workbench's DataFrames and results; any thread.

    Args:
        dataframes: What is published.
        results: What calls returned.
        max_chars: Characters of one text; default 100,000.
    """

    def __init__(self, dataframes: DataFrames, results: Results, *, max_chars: int = MAX_CHARS) -> None:
        self._lookup = Lookup(dataframes, results)
        self._max_chars = max_chars
        self._schemas: dict[tuple[str, int, str | None], str] = {}
        self.descriptions = Descriptions()
        """What stands in the columns of the latest versions asked for."""

    def list(self) -> Listed:
        """List the cards of what is published; results are named where they are made."""
        resources = []
        for name in self._lookup.dataframes.names():
            try:
                publication = self._lookup.dataframes.publication(name)
            except NotFound:  # unpublished by another thread since
                continue
            text = publication.description or f"A live {publication.latest.library}: shape, columns, first rows, how to read more."
            resources.append(Resource(uri=topic(name), name=name, description=text, mime_type=CARD_MIME_TYPE))
        return resources

    def templates(self) -> Templates:
        """List the forms of URI."""
        return [
            ResourceTemplate(uri_template=f"df://{{name}}{form}", name=name, description=description, mime_type=mime_type)
            for form, name, description, mime_type in _FORMS
        ]

    def topic(self, name: str) -> str:
        """The topic of a published name."""
        return topic(name)

    def topic_of(self, uri: str, principal: str) -> str | None:
        """What changes when this resource does.

        Args:
            uri: Any URI.
            principal: Who asks.

        Returns:
            The topic, or None when there is no such resource for this principal.
        """
        target = self.resolve(uri)
        if target is None or not self._lookup.exists(target.reference.name, principal):
            return None
        return target.topic

    def claims(self, uri: str) -> bool:
        """Whether a URI is of this kind, though it may mean nothing: `read` then says what was meant."""
        return parse_uri(uri) is not None

    def resolve(self, uri: str) -> Target | None:
        """Say what a URI means, whether or not it exists.

        Args:
            uri: Any text; percent-decoded here.

        Returns:
            The target, or None when no resource of this kind can have that URI.
        """
        reference = parse_uri(uri)
        if reference is None:
            return None
        match reference.parts:
            case ():
                return Target(reference, "")
            case ("distinct", _):
                return Target(reference, _DISTINCT)
            case (part,) if part in _PARTS:
                return Target(reference, part)
        return None

    def read(self, uri: str, principal: str | None = None) -> Contents:
        """Read a resource; not on the protocol loop: it reads data.

        Args:
            uri: A `df://` URI.
            principal: Whose results may be read; None: the notebook's author, who sees all.

        Returns:
            One text, under the URI as it was asked for.

        Raises:
            NotFound: No such DataFrame, result, part or version.
            ArgumentError: A parameter that does not fit.
        """
        target = self.resolve(uri)
        if target is None:
            raise NotFound(_no_such_resource(uri))
        if target.part == "changes":
            publication = self._publication(target.reference)
            version = publication.latest.version
            text = changes_json(publication, target.reference, self._max_chars)
            return [_contents(uri, text, _JSON, {"mcp-workbench/version": version})]
        snapshot = self._lookup.find(target.reference, principal)
        if target.part == "rows":
            request = parse_request(snapshot, target.reference)
            page = read_page(snapshot, request, max_chars=self._max_chars)
            return [_contents(uri, page.text, page.mime_type, page.meta(snapshot, request.offset))]
        text = self._text(snapshot, target)
        return [_contents(uri, text, _JSON if target.part else CARD_MIME_TYPE, {"mcp-workbench/version": snapshot.version})]

    def _text(self, snapshot: Snapshot, target: Target) -> str:
        reference = target.reference
        if target.part == "sample":
            return sample_json(snapshot, reference, self._max_chars)
        if target.part == _DISTINCT:
            return distinct_json(snapshot, reference.parts[1], reference, self._max_chars)
        only_known(reference, ("version",))
        if target.part == "describe":
            return describe_json(snapshot, self.descriptions, self._max_chars)
        return self._schema(snapshot) if target.part == "schema" else self._card(snapshot)

    def _publication(self, reference: Reference) -> Publication:
        if is_result(reference.name):
            raise NotFound(f"{reference.name} is a result and never changes; read df://{reference.name}/rows.")
        return self._lookup.dataframes.publication(reference.name)

    def _card(self, snapshot: Snapshot) -> str:
        if is_result(snapshot.name):
            return card(snapshot)
        publication = self._lookup.dataframes.publication(snapshot.name)
        versions = tuple(kept.version for kept in publication.versions)
        return card(snapshot, description=publication.description, state=publication.lost, versions=versions)

    def _schema(self, snapshot: Snapshot) -> str:
        description = None if is_result(snapshot.name) else self._lookup.dataframes.publication(snapshot.name).description
        key = (snapshot.name, snapshot.version, description)
        if (known := self._schemas.get(key)) is not None:
            return known
        text = self._schemas[key] = schema(snapshot, description=description, max_chars=self._max_chars)
        for old in list(self._schemas)[:-_SCHEMAS_KEPT]:
            self._schemas.pop(old, None)
        return text


def _contents(uri: str, text: str, mime_type: str, meta: dict[str, Json]) -> ResourceContents:
    return ResourceContents(uri=uri, mime_type=mime_type, text=text, meta=meta or UNSET)


def _no_such_resource(uri: str) -> str:
    reference = parse_uri(uri)
    if reference is None:
        return f"No resource {said(uri)}: DataFrames are read as df://NAME, df://NAME/schema or df://NAME/rows."
    if reference.parts[:1] == (_DISTINCT,):
        return f"{topic(reference.name)}/distinct takes one column: {topic(reference.name)}/distinct/COLUMN (a slash in it is %2F)."
    near = nearest("/".join(reference.parts), _PARTS, 1) or ["rows"]
    return f"{topic(reference.name)} has no part {said('/'.join(reference.parts))}. Nearest: {topic(reference.name)}/{near[0]}."
