"""What differs between operating systems, each side of it: the other systems' answers are looked at by pretending."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from mcp_workbench import platforms

posix = pytest.mark.skipif(sys.platform == "win32", reason="modes and owners are POSIX")
proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="start times are read from /proc")


@proc
def test_this_process_lives_and_one_of_its_number_that_started_at_another_time_does_not() -> None:
    start = platforms.process_start(os.getpid())
    assert start is not None
    assert platforms.is_alive(os.getpid(), start)
    assert platforms.is_alive(os.getpid(), None)
    assert not platforms.is_alive(os.getpid(), start + 1)


@posix
def test_without_proc_only_the_number_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "exists", lambda self: False)
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        assert platforms.is_alive(process.pid, 1)
    finally:
        process.communicate(b"\n")
    assert not platforms.is_alive(process.pid, 1)


def test_somebody_elses_process_is_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(pid: int, signal: int) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "exists", lambda self: False)
    monkeypatch.setattr(os, "kill", refuse)
    monkeypatch.setattr(platforms, "IS_WINDOWS", False)
    assert not platforms.is_alive(1, None)


def test_on_windows_a_process_is_taken_to_live_and_never_asked_by_a_signal_which_would_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "exists", lambda self: False)
    monkeypatch.setattr(os, "kill", lambda pid, signal: pytest.fail("it would have been ended"))
    monkeypatch.setattr(platforms, "IS_WINDOWS", True)
    assert platforms.is_alive(1, None)


def test_where_processes_cannot_fork_nothing_is_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "register_at_fork", raising=False)
    platforms.call_in_forked_children(lambda: None)


def test_on_windows_owners_and_modes_are_not_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(platforms, "IS_WINDOWS", True)
    monkeypatch.delattr(os, "geteuid", raising=False)
    platforms.make_private_folder(tmp_path / "runtime")
    file = tmp_path / "runtime" / "file"
    file.write_text("")
    assert platforms.not_private(file.stat()) is None
    assert platforms.not_private(file.parent.stat()) == "is not a plain file"


@posix
def test_a_folder_that_was_open_to_others_is_closed_to_them(tmp_path: Path) -> None:
    folder = tmp_path / "runtime"
    folder.mkdir(mode=0o755)
    platforms.make_private_folder(folder)
    assert folder.stat().st_mode & 0o777 == 0o700


@posix
def test_a_link_in_the_folders_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "runtime").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PermissionError, match="a folder of your own"):
        platforms.make_private_folder(tmp_path / "runtime")


@pytest.mark.parametrize(("windows", "set_options"), [(False, 1), (True, 0)])
def test_a_port_may_be_taken_again_at_once_except_where_others_could_take_it_over(
    monkeypatch: pytest.MonkeyPatch, windows: bool, set_options: int
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(platforms, "IS_WINDOWS", windows)
    platforms.reuse_address(cast(socket.socket, SimpleNamespace(setsockopt=lambda *option: asked.append(option))))
    assert len(asked) == set_options


def test_machines_of_one_linux_home_folder_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    assert platforms.machine_name() == socket.gethostname()
    monkeypatch.setattr(sys, "platform", "darwin")
    assert platforms.machine_name() == "this"


@posix
def test_a_program_takes_the_place_of_this_one_in_its_folder(tmp_path: Path) -> None:
    code = f"""
import sys
from pathlib import Path
from mcp_workbench import platforms
print("before")
platforms.become([sys.executable, "-c", "import os; print(os.getpid(), os.getcwd()); raise SystemExit(3)"], Path({str(tmp_path)!r}))
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    said, _ = process.communicate(timeout=60)
    assert (process.returncode, said) == (3, f"before\n{process.pid} {tmp_path}\n")


def test_on_windows_it_runs_as_a_child_that_ctrl_c_is_left_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: Iterator[KeyboardInterrupt | int] = iter([KeyboardInterrupt(), KeyboardInterrupt(), 3])

    class Child:
        def __init__(self, command: list[str], cwd: Path) -> None:
            assert (command, cwd) == (["program"], tmp_path)

        def wait(self) -> int:
            came = next(waits)
            if isinstance(came, KeyboardInterrupt):
                raise came
            return came

    monkeypatch.setattr(platforms, "IS_WINDOWS", True)
    monkeypatch.setattr(subprocess, "Popen", Child)
    assert platforms.become(["program"], tmp_path) == 3


def test_a_program_is_given_what_it_needs_and_no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {"PATH": "/bin", "HOME": "/home/me", "SYSTEMROOT": "C:\\Windows", "MY_API_KEY": "secret"})
    monkeypatch.setattr(platforms, "IS_WINDOWS", False)
    assert platforms.harmless_variables() == {"PATH": "/bin", "HOME": "/home/me"}
    monkeypatch.setattr(platforms, "IS_WINDOWS", True)
    assert platforms.harmless_variables() == {"PATH": "/bin", "SYSTEMROOT": "C:\\Windows"}


def test_on_windows_batch_files_are_found_and_a_group_is_ended_by_the_systems_own_program(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[list[str]] = []
    monkeypatch.setattr(platforms, "IS_WINDOWS", True)
    monkeypatch.setattr(shutil, "which", lambda name, path: f"{path}\\{name}.cmd")
    monkeypatch.setattr(subprocess, "Popen", lambda command, **options: SimpleNamespace(command=command, pid=7, options=options))
    monkeypatch.setattr(subprocess, "run", lambda command, **options: ran.append([str(part) for part in command]))
    process: Any = platforms.start_group(["npx", "-y"], env={"PATH": "C:\\npm"}, cwd=None)
    assert process.command == ["C:\\npm\\npx.cmd", "-y"]
    assert "start_new_session" not in process.options
    platforms.end_group(process)
    (told,) = ran
    assert told[0].endswith("taskkill.exe")
    assert told[1:] == ["/T", "/F", "/PID", "7"]
    platforms.Keeper(process).release()


@posix
def test_a_group_that_has_ended_is_ended_once_more_without_complaint_and_its_keeper_let_go() -> None:
    process = platforms.start_group([sys.executable, "-c", "input()"], env=platforms.harmless_variables(), cwd=None)
    keeper = platforms.Keeper(process)
    platforms.end_group(process)
    process.communicate()
    assert process.returncode == -signal.SIGTERM
    platforms.end_group(process, at_once=True)
    keeper.release()
    keeper.release()


@posix
def test_where_there_is_no_shell_there_is_no_keeper(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise FileNotFoundError(2, "No such file or directory", "/bin/sh")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    keeper = platforms.Keeper(cast(Any, SimpleNamespace(pid=7)))
    keeper.forget_in_child()
    keeper.release()


@posix
def test_another_users_file_is_somebody_elses_except_on_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = tmp_path.stat()
    assert not platforms.is_somebody_elses(facts)
    monkeypatch.setattr(os, "geteuid", lambda: facts.st_uid + 1)
    assert platforms.is_somebody_elses(facts)
    monkeypatch.setattr(platforms, "IS_WINDOWS", True)
    assert not platforms.is_somebody_elses(facts)
