"""What an answer becomes in the cell."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from IPython.display import Audio

from mcp_workbench.client.results import CallResult
from mcp_workbench.kernel import results
from mcp_workbench.kernel.results import show_result
from mcp_workbench.protocol import wire

Shown = list[tuple[Any, dict[str, Any]]]
DATA = base64.b64encode(b"abcdef").decode()


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Shown:
    shown: Shown = []
    monkeypatch.setattr(results, "display", lambda value, **options: shown.append((value, options)))
    return shown


def show(*content: wire.Content) -> None:
    show_result(CallResult(content))


def test_an_image_is_shown_as_data_and_never_as_markup(shown: Shown, capsys: pytest.CaptureFixture[str]) -> None:
    show(wire.ImageContent(data=DATA, mime_type="image/png"), wire.ImageContent(data=DATA, mime_type="image/svg+xml"))
    assert shown == [({"image/png": DATA, "text/plain": "image/png, 6 bytes"}, {"raw": True})]
    assert capsys.readouterr().out == "image/svg+xml, 6 bytes: not a kind that is shown here\n"


def test_a_sound_can_be_played(shown: Shown, capsys: pytest.CaptureFixture[str]) -> None:
    show(
        wire.AudioContent(data=DATA, mime_type="audio/wav"),
        wire.AudioContent(data=DATA, mime_type='audio/"><script>'),
        wire.AudioContent(data="<script>", mime_type="audio/wav"),
    )
    [(audio, _)] = shown
    assert isinstance(audio, Audio)
    assert audio.data == b"abcdef"
    assert capsys.readouterr().out == 'audio/"><script>, 6 bytes: not a kind that is played here\naudio/wav, 6 bytes: not valid base64\n'


def test_a_part_of_a_table_stands_between_its_facts_and_its_notes(shown: Shown, capsys: pytest.CaptureFixture[str]) -> None:
    show(wire.TextContent(text="2 of 9 rows x 2 columns · _r1\na int64, b str\n\na,b\n1,x\n2,<b>\n\nMore: df://_r1/rows?offset=2"))
    [(df, _)] = shown
    assert df.to_dict("list") == {"a": [1, 2], "b": ["x", "<b>"]}
    assert capsys.readouterr().out == "2 of 9 rows x 2 columns · _r1\na int64, b str\nMore: df://_r1/rows?offset=2\n"


def test_text_that_only_looks_like_a_table_stays_text(shown: Shown, capsys: pytest.CaptureFixture[str]) -> None:
    show(wire.TextContent(text="Dear all,\nyours, truly\x1b[31m"))
    assert shown == []
    assert capsys.readouterr().out == "Dear all,\nyours, truly\\x1b[31m\n"


def test_links_and_what_is_carried_along_are_named(shown: Shown, capsys: pytest.CaptureFixture[str]) -> None:
    show(
        wire.ResourceLink(uri="df://_r1", name="_r1", description="2 rows"),
        wire.ResourceLink(uri="df://_r2", name="_r2"),
        wire.EmbeddedResource(resource=wire.ResourceContents(uri="a://b", text="hello\nyou")),
        wire.EmbeddedResource(resource=wire.ResourceContents(uri="a://c", mime_type="image/png", blob=DATA)),
    )
    assert shown == []
    assert capsys.readouterr().out == "link: df://_r1 (2 rows)\nlink: df://_r2\na://b:\nhello\nyou\na://c:\nimage/png, 6 bytes\n"
