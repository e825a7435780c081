"""The table of requirements and the tests that claim its rows, compared by reading their source."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.interaction import requirements
from tests.interaction.requirements import ALL, BY_ID, REQUIREMENTS

HERE = Path(__file__).parent


def _claims() -> list[tuple[str, str, tuple[str, ...]]]:
    """Each test's name, a row it claims, and the revisions it runs for."""
    found = []
    for path in sorted(HERE.glob("test_*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                marks = [mark for mark in node.decorator_list if isinstance(mark, ast.Call) and isinstance(mark.func, ast.Name)]
                rows = [ast.literal_eval(mark.args[0]) for mark in marks if ast.unparse(mark.func) == "requirement"]
                found += [(f"{path.name}::{node.name}", row, _revisions(marks)) for row in rows]
    return found


def _revisions(marks: list[ast.Call]) -> tuple[str, ...]:
    for mark in marks:
        if isinstance(mark.func, ast.Name) and mark.func.id == "versions":
            arguments = ast.unparse(ast.Tuple(elts=mark.args, ctx=ast.Load()))
            return tuple(eval(arguments, vars(requirements)))  # names of constants in our own test files
    return ALL


def test_every_row_has_tests_for_all_its_revisions() -> None:
    shown: dict[str, set[str]] = {row.id: set() for row in REQUIREMENTS}
    for _, row, revisions in _claims():
        if row in shown:
            shown[row].update(revisions)
    gaps = {row.id: sorted(set(row.revisions) - shown[row.id]) for row in REQUIREMENTS if set(row.revisions) - shown[row.id]}
    assert gaps == {}


def test_no_test_claims_a_row_that_is_not_there() -> None:
    assert [(name, row) for name, row, _ in _claims() if row not in BY_ID] == []


def test_no_test_runs_a_row_for_a_revision_it_does_not_hold_for() -> None:
    assert [(name, row) for name, row, revisions in _claims() if row in BY_ID and not set(revisions) <= set(BY_ID[row].revisions)] == []


def test_every_interaction_test_claims_a_row() -> None:
    claiming = {name for name, _, _ in _claims()}
    everything = {
        f"{path.name}::{node.name}"
        for path in HERE.glob("test_*.py")
        if path != Path(__file__)
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }
    assert everything == claiming


def test_rows_are_unique_and_link_to_the_specification() -> None:
    assert len(BY_ID) == len(REQUIREMENTS)
    assert [row.id for row in REQUIREMENTS if not row.link.startswith("https://modelcontextprotocol.io/specification/")] == []
