from __future__ import annotations

import pytest

from mcp_workbench.exploring.recording.secret_tables import hide_columns, hide_in_tables


def is_secret(name: str) -> bool:
    return name == "pw"


def hidden(text: str) -> str:
    return hide_in_tables(text, ["pw"], is_secret, lambda cell: f"<{len(cell)}>")


@pytest.mark.parametrize(
    ("written", "done"),
    [
        ("user,pw\nbob,abc\nann,de", "user,pw\nbob,<3>\nann,<2>"),
        ("pw,user\r\nabc,bob\r\n\r\nabc,bob", "pw,user\r\n<3>,bob\r\n\r\nabc,bob"),
        ('user;"pw"\n"b;b";"a""b;\nc"\nx;y', 'user;"pw"\n"b;b";"<7>"\nx;<1>'),
        ('user,pw\nbob,"never closed\nx,y', 'user,pw\nbob,"<16>'),
        ("Two:\nuser\tpw\nbob\tabc\n2 rows\nbob\tabc", "Two:\nuser\tpw\nbob\t<3>\n2 rows\nbob\tabc"),
        ("| user | **pw** |\n|---|:--|\n| bob | abc |\n", "| user | **pw** |\n|---|:--|\n| bob | <3> |\n"),
        (" user | pw\n------+----\n bob  | abc\n(1 row)", " user | pw\n------+----\n bob  | <3>\n(1 row)"),
        ("\ufeffpw,user\nabc,bob", "\ufeffpw,user\n<3>,bob"),
        ('\ufeff"pw","user"\n"abc","bob"', '\ufeff"pw","user"\n"<3>","bob"'),
        ("user,pw\rbob,abc\rann,de\r", "user,pw\rbob,<3>\rann,<2>\r"),
        ("pw\nabc\nde\n\nfg\n", "pw\n<3>\n<2>\n\nfg\n"),
        ('\ufeff"pw"\r\n"a ""b"\r\nde', '\ufeff"pw"\r\n"<5>"\r\n<2>'),
        ("pw\nof one word each\n", "pw\nof one word each\n"),
        ("Text\npw\nabc\n", "Text\npw\nabc\n"),
        ("user,pw\nbob\n", "user,pw\nbob\n"),
        ("İ pw, and, more\nb, c", "İ pw, and, more\nb, c"),
        ("the pw is here\nand a longer line follows it", "the pw is here\nand a longer line follows it"),
        ("user,pw", "user,pw"),
    ],
)
def test_columns_of_tables_in_texts(written: str, done: str) -> None:
    assert hidden(written) == done


def test_columns_of_tables_in_json() -> None:
    def cleaned(**members: object) -> object:
        return hide_columns(members, is_secret, lambda cell: "x")

    assert cleaned(columns=["a", "pw"], data=[["b", "c"], ["d"], 5, ["e", None]]) == {
        "columns": ["a", "pw"],
        "data": [["b", "x"], ["d"], 5, ["e", "x"]],
    }
    assert cleaned(fields=[{"name": "pw"}], rows=[[1]], n=1) == {"fields": [{"name": "pw"}], "rows": [["x"]], "n": 1}
    assert cleaned(columns=["a", 5], data=[["b", "c"]]) == {"columns": ["a", 5], "data": [["b", "c"]]}
    assert cleaned(columns=["pw"], data="text") == {"columns": ["pw"], "data": "text"}
