from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest

from mcp_workbench.exploring.recording import RecordingError, read
from mcp_workbench.exploring.recording.recorder import Recorder
from mcp_workbench.exploring.recording.rotation import Files, files_of
from tests.exploring.recording.rig import HEADER, Stage, lines_of, of_kind, recorded, written


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


def header(part: int) -> bytes:
    return b'{"format":"mcptraffic","part":%d}\n' % part


def parts_of(path: Path) -> list[int]:
    """Which of a recording's files are there, oldest first."""
    return [lines_of(each)[0]["part"] for each in files_of(path) if each.exists()]


@pytest.mark.parametrize("keep", [0, 1, 3])
def test_a_disk_that_is_full_when_the_next_file_is_due_costs_no_older_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keep: int
) -> None:
    file, line = tmp_path / "x.jsonl", b'{"k":"note"}\n'
    files = Files(file, header, max_bytes=50, keep=keep)
    for _ in range(7):
        assert files.write([line]) == (1, None)
    before = parts_of(file)
    with monkeypatch.context() as full:

        def no_room(file: int, data: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

        full.setattr("mcp_workbench.exploring.recording.rotation.os.write", no_room)
        for _ in range(10):
            done, error = files.write([line, line])
            assert (done, str(error)) == (0, "[Errno 28] No space left on device")
            assert parts_of(file) == before
    assert files.write([line]) == (1, None)
    assert parts_of(file) == [*before, before[-1] + 1][-keep - 1 :]
    files.close()


def test_a_file_that_was_moved_or_removed_is_told_and_the_next_begun_even_when_nothing_crosses(tmp_path: Path) -> None:
    stage, file = Stage(), tmp_path / "x.jsonl"
    with recorded(stage, file) as recorder:
        stage.call(1)
        assert recorder.flush()
        file.rename(tmp_path / "elsewhere.jsonl")
        assert recorder.flush()
        assert [line["part"] for line in lines_of(file)[:1]] == [2]
        assert of_kind(file, "session"), "it can be read alone"
        stage.call(2)
        assert recorder.flush()
        file.unlink()
        stage.call(3)
    assert [call.request_id for call in read(tmp_path / "elsewhere.jsonl").calls()] == [1]
    assert [call.request_id for call in read(file).calls()] == [3]
    assert ["moved or removed" in sentence for sentence in stage.told] == [True]


def test_a_file_of_somebody_else_in_its_place_is_neither_written_nor_moved(tmp_path: Path) -> None:
    stage, file = Stage(), tmp_path / "x.jsonl"
    with recorded(stage, file, max_bytes=1_500) as recorder:
        stage.call(1)
        assert recorder.flush()
        file.rename(tmp_path / "elsewhere.jsonl")
        file.write_text("mine")
        for number in range(2, 30):
            stage.call(number)
        assert not recorder.flush()
        assert "x.jsonl is another file now; move it away" in recorder.status.state
        assert (recorder.status.lost, files_of(file), file.read_text()) == (28 * 3, [file], "mine")
        file.unlink()
        stage.call(30)
        assert recorder.flush()
        (tmp_path / "x.jsonl.1").write_text("mine")
        for number in range(31, 60):
            stage.call(number)
        assert not recorder.flush()
        assert "x.jsonl.1 is no recording, and in the way" in recorder.status.state
        assert (tmp_path / "x.jsonl.1").read_text() == "mine"


def test_two_who_write_one_file_do_not_take_it_from_each_other(tmp_path: Path) -> None:
    first, second, file = Stage(), Stage(), tmp_path / "x.jsonl"
    with recorded(first, file, max_bytes=1_500) as one:
        first.call(1)
        assert one.flush()
        with recorded(second, file, overwrite=True) as other:
            second.call(2)
            assert other.flush()
            for number in range(3, 30):
                first.call(number)
            assert not one.flush()
            assert "another file" in one.status.state
            second.call(30)
            assert other.flush()
        assert [call.request_id for call in read(file).calls()] == [2, 30]
        assert files_of(file) == [file]


def test_only_recordings_are_replaced(tmp_path: Path) -> None:
    stage, notes = Stage(), tmp_path / "notes.txt"
    notes.write_text("mine")
    with pytest.raises(FileExistsError, match="no recording"):
        Recorder(notes, stage.sources, None, overwrite=True)
    assert notes.read_text() == "mine"
    written(notes, header=HEADER | {"part": 3})
    (tmp_path / "notes.txt.7").write_text("mine too")
    with pytest.raises(FileExistsError, match=r"notes\.txt\.7 exists and is no recording"):
        Recorder(notes, stage.sources, None, overwrite=True)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["notes.txt", "notes.txt.7"]
    (tmp_path / "notes.txt.7").write_text("")
    with recorded(stage, notes, overwrite=True):
        assert files_of(notes) == [notes]


@pytest.mark.parametrize(
    ("options", "error", "sentence"),
    [
        ({"max_bytes": 0}, ValueError, "max_bytes is the size of a file in bytes, or None: 1 or more, got 0"),
        ({"max_bytes": -5}, ValueError, "got -5"),
        ({"max_bytes": "1 MB"}, TypeError, "a whole number, got '1 MB'"),
        ({"max_bytes": True}, TypeError, "got True"),
        ({"keep": -1}, ValueError, "keep is how many older files are kept: 0 to 10,000, got -1"),
        ({"keep": 10**7}, ValueError, "got 10,000,000"),
        ({"keep": None}, TypeError, "got None"),
    ],
)
def test_what_can_be_no_bound_is_refused_before_anything_is_touched(
    tmp_path: Path, options: dict[str, Any], error: type[Exception], sentence: str
) -> None:
    stage, file = Stage(), written(tmp_path / "x.jsonl")
    with pytest.raises(error, match=sentence):
        Recorder(file, stage.sources, None, overwrite=True, **options)
    assert lines_of(file) == [HEADER]
    assert stage.telemetry.messages.readers == ()
