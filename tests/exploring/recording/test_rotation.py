from __future__ import annotations

from pathlib import Path

import pytest

from mcp_workbench.exploring.recording import RecordingError, read
from mcp_workbench.exploring.recording.rotation import files_of
from tests.exploring.recording.rig import Stage, lines_of, recorded


def test_files_that_are_full_are_moved_on_and_read_as_one_recording(tmp_path: Path) -> None:
    stage, file = Stage(), tmp_path / "x.jsonl"
    with recorded(stage, file, max_bytes=3_000, keep=50) as recorder:
        for number in range(40):
            stage.call(number)
        recorder.flush()
    parts = files_of(file)
    assert [part.name for part in parts][-2:] == ["x.jsonl.1", "x.jsonl"]
    assert recorder.status.parts == len(parts) > 3
    assert all(part.stat().st_size <= 3_000 for part in parts[:-1])
    for number, part in enumerate(parts, 1):
        header, session = lines_of(part)[:2]
        assert (header["part"], header["recording"]) == (number, lines_of(file)[0]["recording"])
        assert session["k"] == "session", "each can be read alone"
    recording = read(file)
    assert [call.request_id for call in recording.calls()] == list(range(40))
    assert [session.session_id for session in recording.sessions()] == ["s1"]
    assert not recording.problems


def test_only_so_many_older_files_are_kept_and_readers_say_what_is_missing(tmp_path: Path) -> None:
    stage, file = Stage(), tmp_path / "x.jsonl"
    with recorded(stage, file, max_bytes=2_000, keep=3):
        for number in range(60):
            stage.call(number)
    assert [part.name for part in files_of(file)] == ["x.jsonl.3", "x.jsonl.2", "x.jsonl.1", "x.jsonl"]
    recording = read(file)
    assert recording.header.part > 1
    assert [call.request_id for call in recording.calls()][-1] == 59
    (tmp_path / "x.jsonl.2").unlink()
    list(recording.messages())
    assert "1 file before" in str(recording.problems)


def test_a_file_of_another_recording_among_them_is_an_error_or_passed_over(tmp_path: Path) -> None:
    stage, file, other = Stage(), tmp_path / "x.jsonl", tmp_path / "y.jsonl"
    for path in (file, other):
        with recorded(stage, path):
            stage.call(1)
    other.rename(tmp_path / "x.jsonl.1")
    with pytest.raises(RecordingError, match="another recording"):
        list(read(file).messages())
    recording = read(file, strict=False)
    assert len(list(recording.messages())) == 2
    assert "another recording" in str(recording.problems)


def test_no_older_file_is_kept_where_none_is_wanted_and_old_ones_are_not_mixed_with_new(tmp_path: Path) -> None:
    stage, file = Stage(), tmp_path / "x.jsonl"
    with recorded(stage, file, max_bytes=2_000, keep=0):
        for number in range(30):
            stage.call(number)
    assert files_of(file) == [file]
    file.rename(tmp_path / "x.jsonl.4")
    with pytest.raises(FileExistsError, match=r"x\.jsonl\.4"), recorded(stage, file):
        pass
    with recorded(stage, file, overwrite=True):
        assert files_of(file) == [file]


def test_a_file_somebody_moved_away_is_begun_anew(tmp_path: Path) -> None:
    stage, file = Stage(), tmp_path / "x.jsonl"
    with recorded(stage, file, max_bytes=2_000) as recorder:
        stage.call(1)
        recorder.flush()
        file.unlink()
        for number in range(2, 30):
            stage.call(number)
        assert recorder.flush()
    assert [call.request_id for call in read(file).calls()][-1] == 29


def test_a_folder_that_is_gone_is_told_and_traffic_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    stage, file = Stage(), folder / "x.jsonl"
    with recorded(stage, file, max_bytes=1_500) as recorder:
        stage.call(1)
        recorder.flush()
        file.unlink()
        folder.rmdir()
        for number in range(2, 30):
            stage.call(number)
        assert not recorder.flush()
        assert "No such file" in recorder.status.state
        folder.mkdir()
        stage.call(30)
        assert recorder.flush()
    assert [call.request_id for call in read(file).calls()] == [30]
    assert len(list(read(file).lost())) == 1
