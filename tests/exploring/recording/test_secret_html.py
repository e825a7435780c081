from __future__ import annotations

import pytest

from mcp_workbench.exploring.recording.secret_html import hide_in_html


def hidden(text: str) -> str:
    return hide_in_html(text, lambda name: name == "pw", lambda cell: f"({len(cell)})")


@pytest.mark.parametrize(
    ("written", "done"),
    [
        (
            "<table><tr><th></th><th>pw</th></tr><tr><th>0</th><td> abc </td></tr></table><p>abc",
            "<table><tr><th></th><th>pw</th></tr><tr><th>0</th><td> (3) </td></tr></table><p>abc",
        ),
        (
            "<TABLE><tr><th>0</th></tr>\n<tr><th>pw</th><td>abc</td><td><b>x</b></td></tr><tr><th>user</th><td>bob</td></tr></TABLE>",
            "<TABLE><tr><th>0</th></tr>\n<tr><th>pw</th><td>(3)</td><td>(8)</td></tr><tr><th>user</th><td>bob</td></tr></TABLE>",
        ),
        ("<tr><th>pw</th><th></th></tr><tr><th>abc</th><td>1</td></tr>", "<tr><th>pw</th><th></th></tr><tr><th>(3)</th><td>1</td></tr>"),
        (
            "<table><tr><th>pw</th></tr></table><table><tr><td>abc</td></tr></table>",
            "<table><tr><th>pw</th></tr></table><table><tr><td>abc</td></tr></table>",
        ),
        ("<tr><th>pw</th></tr><tr><td></td></tr>", "<tr><th>pw</th></tr><tr><td></td></tr>"),
        ("<tr><th>pw</th></tr><tr><td>cut off", "<tr><th>pw</th></tr><tr><td>cut off"),
        ("no table </t", "no table </t"),
    ],
)
def test_cells_under_and_beside_a_heading_that_names_a_secret(written: str, done: str) -> None:
    assert hidden(written) == done


def test_what_pandas_of_this_machine_writes() -> None:
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"user": ["bob", "al"], "pw": ["hunter2x", "hunter2y"]})
    for each in (table, table.T, table.set_index("pw")):
        assert "hunter2" not in hidden(each.to_html())
        assert "bob" in hidden(each.to_html())
