"""The table of requirements and the tests that claim its rows, compared by reading their source.

Tests of `tests/interaction` claim for every transport they are played over; those of what only one transport has stand
with its other tests, and claim for it alone. `sections.json` holds the headings of the specification's pages, and of the tasks extension.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

from mcp_workbench.protocol.versions import LEGACY_VERSIONS, MODERN_VERSIONS
from tests.interaction import requirements
from tests.interaction.doors import BY_ERA, EXCEPTIONS, IMPOSSIBLE, TRANSPORTS, revisions_over
from tests.interaction.requirements import ALL, BY_ID, LEGACY, MODERN, REQUIREMENTS, SECTIONS, SPECIFICATION
from tests.interaction.scenarios import SCENARIOS

HERE = Path(__file__).parent
ELSEWHERE = {
    "transports/test_http_server.py": ("http", ALL),
    "transports/test_http_legacy.py": ("http", LEGACY),
    "transports/test_http_modern.py": ("http", MODERN),
    "transports/test_cross_site.py": ("http", ALL),
    "transports/test_http_bad_input.py": ("http", ALL),
    "transports/test_pipes.py": ("stdio", ALL),
    "transports/test_stdio.py": ("stdio", ALL),
    "test_stdio_host.py": ("stdio", ALL),
}
"""Further files whose tests claim rows: for which transport, and for which revisions unless they say so."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A test says that it shows a row."""

    test: str
    row: str
    shown: dict[str, tuple[str, ...]]
    """Transport -> revisions."""


def _claims() -> list[Claim]:
    found = [
        Claim(f"{path.name}::{test.name}", row, {over: revisions_over(over, test.name, _revisions(test, ALL)) for over in TRANSPORTS})
        for path in sorted(HERE.glob("test_*.py"))
        for test in _tests(path)
        for row in _rows(test)
    ]
    for name, (transport, revisions) in ELSEWHERE.items():
        for test in _tests(HERE.parent / name):
            for row in _rows(test):
                held = BY_ID[row].revisions if row in BY_ID else ()
                default = tuple(revision for revision in held if revision in revisions)
                found.append(Claim(f"{name}::{test.name}", row, {transport: _revisions(test, default)}))
    return found


def _tests(path: Path) -> list[ast.FunctionDef]:
    nodes = ast.parse(path.read_text()).body
    return [node for node in nodes if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]


def _rows(test: ast.FunctionDef) -> list[str]:
    return [ast.literal_eval(mark.args[0]) for mark in _marks(test) if ast.unparse(mark.func) == "requirement"]


def _marks(test: ast.FunctionDef) -> list[ast.Call]:
    return [mark for mark in test.decorator_list if isinstance(mark, ast.Call)]


def _revisions(test: ast.FunctionDef, default: tuple[str, ...]) -> tuple[str, ...]:
    for mark in _marks(test):
        if ast.unparse(mark.func) == "versions":
            arguments = ast.unparse(ast.Tuple(elts=mark.args, ctx=ast.Load()))
            return tuple(eval(arguments, vars(requirements)))  # names of constants in our own test files
    return default


CLAIMS = _claims()


def _missing(row: requirements.Requirement, transport: str) -> list[str]:
    """Revisions of a row that no test shows over a transport; of a transport by era, eras."""
    shown = {revision for claim in CLAIMS if claim.row == row.id for revision in claim.shown.get(transport, ())}
    excused, _ = IMPOSSIBLE.get((row.id, transport), ((), ""))
    wanted = [revision for revision in row.revisions if revision not in excused]
    if transport not in BY_ERA:
        return sorted(set(wanted) - shown)
    eras = ([revision for revision in wanted if revision in era] for era in (LEGACY_VERSIONS, MODERN_VERSIONS))
    return [era[-1] for era in eras if era and not shown & set(era)]


def test_every_row_is_shown_over_each_of_its_transports_for_all_its_revisions() -> None:
    gaps = {(row.id, transport): missing for row in REQUIREMENTS for transport in row.transports if (missing := _missing(row, transport))}
    assert gaps == {}


def test_no_test_claims_a_row_that_is_not_there() -> None:
    assert [(claim.test, claim.row) for claim in CLAIMS if claim.row not in BY_ID] == []


def test_no_test_shows_a_row_for_what_it_does_not_hold_for() -> None:
    beyond = [
        (claim.test, claim.row, transport)
        for claim in CLAIMS
        if claim.row in BY_ID
        for transport, revisions in claim.shown.items()
        if revisions and (transport not in BY_ID[claim.row].transports or not set(revisions) <= set(BY_ID[claim.row].revisions))
    ]
    assert beyond == []


def test_every_interaction_test_claims_a_row() -> None:
    claiming = {claim.test for claim in CLAIMS}
    everything = {f"{path.name}::{test.name}" for path in HERE.glob("test_*.py") if path != Path(__file__) for test in _tests(path)}
    assert everything - claiming == set()


def test_what_is_left_out_is_there_and_has_a_reason() -> None:
    tests = {test.name for path in HERE.glob("test_*.py") for test in _tests(path)}
    assert {test for left_out in EXCEPTIONS.values() for test in left_out} - tests == set()
    assert all(one.reason for left_out in EXCEPTIONS.values() for one in left_out.values())
    for (row, transport), (revisions, reason) in IMPOSSIBLE.items():
        assert transport in BY_ID[row].transports
        assert set(revisions) & set(BY_ID[row].revisions)
        assert reason
        shown = {revision for claim in CLAIMS if claim.row == row for revision in claim.shown.get(transport, ())}
        assert shown & set(revisions) == set(), f"{row} is shown over {transport} after all"


def test_rows_are_unique_and_each_link_leads_to_a_section_of_the_specification() -> None:
    assert len(BY_ID) == len(REQUIREMENTS)
    for row in REQUIREMENTS:
        for link in row.links:
            revision, _, place = link.removeprefix(f"{SPECIFICATION}/").partition("/")
            page, _, section = place.partition("#")
            assert page in SECTIONS[revision], (row.id, link)
            assert not section or section in SECTIONS[revision][page], (row.id, link)
        eras = [any(revision in era for revision in row.revisions) for era in (LEGACY_VERSIONS, MODERN_VERSIONS)]
        assert len(row.links) == sum(eras), (row.id, "one link for each era")


def test_every_scenario_of_the_official_suite_is_shown_by_rows() -> None:
    assert {name: rows for name, rows in SCENARIOS.items() if not rows or set(rows) - BY_ID.keys()} == {}
