"""Settings files: whose they are, where links lead, what is kept, and that nothing is ever half written."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mcp_workbench.cli.install import Refused
from mcp_workbench.cli.install.files import read_settings

NOW = datetime(2026, 11, 5, 14, 3, 22, tzinfo=UTC)
posix = pytest.mark.skipif(sys.platform == "win32", reason="modes, owners and links are POSIX")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "settings" / "mcp.json"
    path.parent.mkdir()
    return path


def test_a_new_file_is_its_owners_alone_and_there_is_nothing_to_keep(path: Path) -> None:
    found = read_settings(path, "Host")
    assert found.text == ""
    assert found.write("{}\n", NOW) is None
    assert path.read_bytes() == b"{}\n"
    if sys.platform != "win32":
        assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["mcp.json"]


def test_what_it_was_is_kept_beside_it_under_a_dated_name(path: Path) -> None:
    path.write_bytes(b"\xef\xbb\xbfone\r\n")
    path.chmod(0o640)
    found = read_settings(path, "Host")
    assert found.text == "one\r\n"
    copy = found.write("two\r\n", NOW)
    assert copy == path.with_name("mcp.json.2026-11-05T14-03-22.bak")
    assert (copy.read_bytes(), path.read_bytes()) == (b"\xef\xbb\xbfone\r\n", b"\xef\xbb\xbftwo\r\n")
    if sys.platform != "win32":
        assert {file.stat().st_mode & 0o777 for file in path.parent.iterdir()} == {0o640}
    again = read_settings(path, "Host").write("three", NOW)
    assert again == path.with_name("mcp.json.2026-11-05T14-03-22.2.bak")


def test_what_another_program_has_written_meanwhile_is_not_lost(path: Path) -> None:
    for before in (None, b"one"):
        if before is not None:
            path.write_bytes(before)
        found = read_settings(path, "Host")
        path.write_bytes(b"theirs")
        with pytest.raises(Refused, match="meanwhile: run this again"):
            found.write("ours", NOW)
        assert [each.read_bytes() for each in path.parent.iterdir()] == [b"theirs"]


def test_when_it_cannot_be_put_in_place_all_is_as_before(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_bytes(b"one")

    def fail(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device", str(target))

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="No space"):
        read_settings(path, "Host").write("two", NOW)
    assert [each.read_bytes() for each in path.parent.iterdir()] == [b"one"]


def test_a_host_that_was_never_started_is_named(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"Host has no folder .*absent: start Host once, or name its settings with --file"):
        read_settings(tmp_path / "absent" / "mcp.json", "Host")


@posix
def test_a_link_leads_to_another_file_of_its_folder_or_nowhere(path: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "dotfiles.json"
    elsewhere.write_text("{}")
    path.symlink_to(elsewhere)
    with pytest.raises(Refused, match=r"is a link to .*dotfiles.json: if that is the file to edit, name it with --file"):
        read_settings(path, "Host")
    path.unlink()
    path.symlink_to("real.json")
    path.with_name("real.json").write_text("one")
    assert read_settings(path, "Host").write("two", NOW) is not None
    assert path.is_symlink()
    assert path.read_text() == "two"
    path.unlink()
    path.symlink_to("mcp.json")
    with pytest.raises(Refused, match=r"leads nowhere|not a plain file"):
        read_settings(path, "Host").write("two", NOW)


@posix
def test_somebody_elses_file_is_not_touched(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_text("{}")
    monkeypatch.setattr(os, "geteuid", lambda: path.stat().st_uid + 1)
    with pytest.raises(Refused, match="belongs to another user"):
        read_settings(path, "Host")


def test_what_is_no_text_is_not_touched(path: Path) -> None:
    path.write_bytes(b"\xff\xfe{\x00}\x00")
    with pytest.raises(Refused, match="is not UTF-8"):
        read_settings(path, "Host")
    path.unlink()
    path.mkdir()
    with pytest.raises(Refused, match="is not a plain file"):
        read_settings(path, "Host")
    path.rmdir()
    with path.open("wb") as file:
        file.truncate(65 * 1024 * 1024)
    with pytest.raises(Refused, match="larger than 4 MiB"):
        read_settings(path, "Host")


def test_a_read_only_file_and_a_linked_folder_are_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    file = folder / "settings.json"
    file.write_text("{}")
    file.chmod(0o444)
    with pytest.raises(Refused, match="is read-only"):
        read_settings(file, "Host")
    file.chmod(0o644)
    link = tmp_path / "linked"
    link.symlink_to(folder)
    with pytest.raises(Refused, match=r"is a link to .*elsewhere: if that is the folder"):
        read_settings(link / "settings.json", "Host")
    assert read_settings(file, "Host").text == "{}"
