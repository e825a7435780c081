from __future__ import annotations

import pytest

from mcp_workbench.exploring.recording.secret_tables import hide_in_tables


def hidden(text: str) -> str:
    return hide_in_tables(text, ["pw", "key"], lambda name: name in ("pw", "key"), lambda cell: f"<{len(cell)}>")


@pytest.mark.parametrize(
    ("written", "done"),
    [
        pytest.param(
            "   user   pw    n\n0   bob  abc    1\n10  ann       22\n",
            "   user   pw    n\n0   bob <3>    1\n10  ann       22\n",
            id="columns",
        ),
        pytest.param("    pw user\n0  abc  bob", "    pw user\n0 <3>  bob", id="the first column"),
        pytest.param("    user\npw      \nabc  bob\nd    ann\n", "    user\npw      \n<3>  bob\n<1>    ann\n", id="an index"),
        pytest.param("       n\nid pw    \n1  abc  2\n   de   3", "       n\nid pw    \n1  <3>  2\n   <2>   3", id="a second index"),
        pytest.param("        0    1\nuser  bob  ann\npw    abc  d-e", "        0    1\nuser  bob  ann\npw    <3>  <3>", id="turned"),
        pytest.param("user    bob\npw      abc\nName: 0, dtype: str", "user    bob\npw      <3>\nName: 0, dtype: str", id="a row"),
        pytest.param(
            "All:\n0     abc\n1    d ef\nName: pw, dtype: str\n", "All:\n0     <3>\n1    <4>\nName: pw, dtype: str\n", id="a Series"
        ),
        pytest.param("0    abc\nName: pw, Length: 1, dtype: str", "0    <3>\nName: pw, Length: 1, dtype: str", id="a long Series"),
        pytest.param(
            "user  pw      n\n----  ------  --\nbob   abc     1\nann           2\n\nx y z",
            "user  pw      n\n----  ------  --\nbob   <3>     1\nann           2\n\nx y z",
            id="a rule of dashes",
        ),
        pytest.param(
            "    pw user\n0  abc  bob\n1 ‹redacted:0123456789ab›  ann\n2   de   al",
            "    pw user\n0 <3>  bob\n1 ‹redacted:0123456789ab›  ann\n2 <2>   al",
            id="a line that is longer by a mark",
        ),
        pytest.param("Name: pw, dtype: str\nabc", "Name: pw, dtype: str\nabc", id="a Series of nothing"),
        pytest.param("pw  the word to use\nn", "pw  the word to use\nn", id="a sentence"),
        pytest.param("pw is  here\nn", "pw is  here\nn", id="another"),
        pytest.param("pw  user\n‹redacted:0123456789ab› bob", "pw  user\n‹redacted:0123456789ab› bob", id="columns, hidden before"),
    ],
)
def test_what_pandas_prints(written: str, done: str) -> None:
    assert hidden(written) == done


def test_what_pandas_of_this_machine_prints() -> None:
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"user": ["bob", "al"], "pw": ["hunter2x", "hunter2y"], "notes": ["x y", "z"]})
    for each in (table, table.set_index("pw"), table.set_index(["user", "pw"]), table.T, table["pw"], table.iloc[0], table[["pw"]]):
        assert "hunter2" not in hidden(repr(each)), repr(each)
        assert "z" in hidden(repr(table.T))
    assert "hunter2" not in hidden(table.to_string(index=False))
    assert "hunter2" not in hidden(table[["pw"]].to_csv(index=False))
