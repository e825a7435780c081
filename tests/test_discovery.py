from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mcp_workbench import discovery
from mcp_workbench.cli.listing import print_servers
from mcp_workbench.discovery import (
    Entry,
    describe_this_process,
    find,
    find_views,
    folder,
    plain_kernel_id,
    remove,
    survey,
    write,
    write_view,
)
from mcp_workbench.jsonrpc import encode
from mcp_workbench.platforms import process_start
from mcp_workbench.relay import sentences
from mcp_workbench.relay.choosing import Wish, choose
from mcp_workbench.secret import Secret

posix = pytest.mark.skipif(sys.platform == "win32", reason="modes and owners are POSIX")
proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="start times are read from /proc")


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    return tmp_path / "runtime"


def entry(**changes: Any) -> Entry:
    plain = describe_this_process(
        kernel_id="k1", name="flights.ipynb", url="ws://127.0.0.1:8801/mcp", token=Secret("s3cret"), notebook="/n/flights.ipynb"
    )
    return replace(plain, **changes)


def put(content: object, name: str = "kernel-x.json", mode: int = 0o600) -> Path:
    write(entry())
    path = folder() / name
    path.write_text(content if isinstance(content, str) else json.dumps(content, default=Secret.reveal))
    path.chmod(mode)
    return path


def reasons() -> list[str]:
    return [ignored.reason for ignored in survey().ignored]


def test_what_was_written_is_found() -> None:
    path = write(entry())
    assert path == folder() / "kernel-k1.json"
    assert find() == [entry(started=find()[0].started)]
    assert find()[0].pid == os.getpid()
    assert find()[0].executable == sys.executable
    remove(path)
    remove(path)
    assert find() == []


def test_the_runtime_folder_of_jupyter_is_used(runtime: Path) -> None:
    assert folder() == runtime / "mcp-workbench"
    assert find() == [], "a folder that does not exist holds nothing"


@posix
def test_folder_and_file_are_for_their_owner_alone(runtime: Path) -> None:
    before = os.umask(0)
    try:
        path = write(entry())
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@posix
def test_a_folder_that_is_too_open_is_closed(runtime: Path) -> None:
    (runtime / "mcp-workbench").mkdir(parents=True)
    (runtime / "mcp-workbench").chmod(0o777)
    write(entry())
    assert stat.S_IMODE(folder().stat().st_mode) == 0o700


@posix
def test_a_folder_that_is_a_link_is_refused(runtime: Path, tmp_path: Path) -> None:
    runtime.mkdir()
    (tmp_path / "elsewhere").mkdir()
    (runtime / "mcp-workbench").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PermissionError, match="must be a folder of your own"):
        write(entry())
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_no_repr_shows_the_token() -> None:
    assert "s3cret" not in repr(entry())
    write(entry())
    assert "s3cret" not in repr(survey())


def test_a_restarted_kernel_replaces_its_file() -> None:
    write(entry(url="ws://127.0.0.1:1/old"))
    write(entry(url="ws://127.0.0.1:1/new"))
    assert [found.url for found in find()] == ["ws://127.0.0.1:1/new"]
    assert [path.name for path in folder().iterdir()] == ["kernel-k1.json"]


def test_the_latest_comes_first() -> None:
    for kernel_id, started in (("a", 1.0), ("b", 3.0), ("c", 2.0)):
        write(entry(kernel_id=kernel_id, started=started))
    assert [found.kernel_id for found in find()] == ["b", "c", "a"]


@pytest.mark.parametrize("kernel_id", ["../../x", "a/b", "a b", ".hidden", "", "ключ", "x" * 500])
def test_an_odd_kernel_id_stays_in_the_folder_and_is_kept(kernel_id: str) -> None:
    path = write(entry(kernel_id=kernel_id))
    assert path.parent == folder()
    assert [found.kernel_id for found in find()] == [kernel_id]


def test_plain_ids_count_up() -> None:
    first = plain_kernel_id()
    assert first == f"pid-{os.getpid()}-1"
    write(entry(kernel_id=first))
    assert plain_kernel_id() == f"pid-{os.getpid()}-2"


def dead_pid() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


@posix
def test_files_of_dead_processes_are_removed() -> None:
    path = write(entry(pid=dead_pid(), process_start=None))
    assert find() == []
    assert not path.exists()


@proc
def test_a_reused_process_id_does_not_count_as_alive() -> None:
    path = write(entry(process_start=1))
    assert find() == []
    assert not path.exists()


@proc
def test_a_zombie_does_not_count_as_alive() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.read()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert process_start(process.pid) is None
    process.stdout.close()
    process.wait()


@proc
def test_another_process_is_known_by_its_start() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        start = process_start(process.pid)
        mine = process_start(os.getpid())
        assert start is not None
        assert mine is not None
        assert start >= mine
        write(entry(pid=process.pid, process_start=start))
        assert [found.pid for found in find()] == [process.pid]
        process.communicate(b"\n")
    assert find() == []


@posix
def test_without_proc_the_process_id_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mcp_workbench.discovery.Path.exists", lambda self: False)
    write(entry(process_start=None))
    assert len(find()) == 1
    write(entry(pid=dead_pid(), process_start=None))
    assert find() == []


def test_a_new_file_does_not_fall_to_the_verdict_on_the_old_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def restart_meanwhile(pid: int, start: int | None) -> bool:
        monkeypatch.undo()
        monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(path.parent.parent))
        write(entry(url="ws://127.0.0.1:1/new"))
        return False

    path = write(entry(url="ws://127.0.0.1:1/old"))
    monkeypatch.setattr(discovery, "is_alive", restart_meanwhile)
    assert find() == []
    assert [found.url for found in find()] == ["ws://127.0.0.1:1/new"]


@posix
@pytest.mark.parametrize("mode", [0o644, 0o620, 0o604, 0o666])
def test_a_file_that_others_could_touch_is_ignored(mode: int) -> None:
    write(entry()).chmod(mode)
    assert find() == []
    assert reasons() == ["could be read or written by others: its mode must be 0600"]


@posix
def test_a_foreign_file_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    write(entry())
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    assert find() == []
    assert reasons() == ["belongs to another user"]


@posix
def test_links_and_pipes_are_not_opened_or_waited_for(tmp_path: Path) -> None:
    target = write(entry())
    (folder() / "kernel-link.json").symlink_to(target)
    os.mkfifo(folder() / "kernel-pipe.json", 0o600)  # noqa: TID251  # the test runs on POSIX only
    assert len(find()) == 1
    assert len(reasons()) == 2
    assert "is not a plain file" in reasons()


@proc
def test_a_file_from_another_machine_is_ignored_and_kept() -> None:
    path = write(entry(host="elsewhere", pid=dead_pid()))
    assert find() == []
    assert reasons() == ["was written on another machine"]
    assert path.exists()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "is not JSON"),
        ("{", "is not JSON"),
        ("[" * 60_000, "is not JSON"),
        ("x" * 70_000, "is larger than any discovery file"),
        ([], "does not hold an object"),
        ({}, "has another schema than 1"),
        ({"schema": 2}, "has another schema than 1"),
        ({"schema": 1}, "has missing or mistyped fields"),
    ],
)
def test_a_file_that_is_not_one_of_ours_is_ignored_with_a_reason(content: object, reason: str) -> None:
    put(content)
    assert len(find()) == 1, "the good one beside it"
    assert [each.startswith(reason) for each in reasons()] == [True]


@pytest.mark.parametrize(
    "change", [{"pid": "1"}, {"pid": 1.0}, {"pid": True}, {"token": None}, {"url": 3}, {"notebook": 1}, {"started": "now"}]
)
def test_a_mistyped_field_is_named_and_never_shown(change: dict[str, object]) -> None:
    path = write(entry())
    content = json.loads(path.read_text()) | change
    path.write_text(json.dumps(content))
    assert find() == []
    assert reasons() == [f"has missing or mistyped fields: {next(iter(change))}"]


@pytest.mark.parametrize(
    "change",
    [
        {"pid": 0},
        {"pid": -1},
        {"pid": 2**31},
        {"process_start": -1},
        {"process_start": 10**30},
        {"started": float("inf")},
        {"started": float("-inf")},
        {"started": float("nan")},
        {"started": -1.0},
        {"started": 10**300},
    ],
)
def test_a_number_that_cannot_be_is_refused_in_both_directions(change: dict[str, Any]) -> None:
    put(asdict(entry()) | change)
    [reason] = reasons()
    assert reason.startswith(f"has a number that cannot be: {next(iter(change))} is from ")
    assert len(find()) == 1, "the good one beside it"
    with pytest.raises(ValueError, match="has a number that cannot be"):
        write(entry(**change))


@pytest.mark.parametrize("text", ["\0", "a\nb", "\x1b[31m", "\x7f", "\x9b", "\ud800", "x" * 5000])
@pytest.mark.parametrize("name", ["name", "kernel_id", "url", "token", "cwd", "notebook", "executable"])
def test_a_text_that_cannot_be_is_refused_and_never_shown(name: str, text: str) -> None:
    put(asdict(entry()) | {name: text})
    assert reasons() == [f"has a text that cannot be: {name} is one line without control characters, at most 4096 long"]
    assert len(find()) == 1, "the good one beside it"


def test_a_path_whose_bytes_are_not_utf_8_is_fine() -> None:
    write(entry(cwd="/data/\udcff", notebook="/data/\udcff/ключ.ipynb"))
    assert [found.cwd for found in find()] == ["/data/\udcff"]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ws://",
        "wss://example.org/mcp",
        "ws://192.0.2.1:80/mcp",
        "ws://0.0.0.0:80/mcp",
        "ws://localhost.example.org/mcp",
        "ws://127.0.0.1@example.org/mcp",
        "ws://me:secret@127.0.0.1/mcp",
        "ws://127.0.0.1:99999/mcp",
        "ws://127.0.0.1:0/mcp",
        "ws://[::1/mcp",
        "http://127.0.0.1:80/mcp",
        "127.0.0.1:80",
    ],
)
def test_an_address_that_leads_elsewhere_is_refused_and_never_shown(url: str) -> None:
    put(asdict(entry()) | {"url": url})
    assert reasons() == ["has an address that leads elsewhere: url is ws:// or wss:// to localhost or a loopback address such as 127.0.0.1"]


@pytest.mark.parametrize(
    "url", ["ws://127.0.0.1:1/mcp", "http://lab.example/mcp", "http://127.0.0.1:0/mcp", "http://me@127.0.0.1:1/mcp", "x"]
)
def test_an_http_address_that_leads_elsewhere_is_refused_too(url: str) -> None:
    put(asdict(entry()) | {"http_url": url})
    assert reasons() == ["has an address that leads elsewhere: http_url is http:// or https:// to localhost or a loopback address"]


def test_the_http_address_is_told_where_there_is_one_and_older_files_have_none() -> None:
    write(entry(http_url="http://127.0.0.1:7/mcp"))
    assert [found.http_url for found in find()] == ["http://127.0.0.1:7/mcp"]
    older = asdict(entry())
    del older["http_url"]
    put(older)
    assert {found.http_url for found in find()} == {None}
    assert reasons() == []


@pytest.mark.parametrize("url", ["ws://localhost:1/mcp", "wss://127.0.0.2:1/mcp", "ws://[::1]:65535/mcp"])
def test_addresses_of_this_machine_are_used(url: str) -> None:
    write(entry(url=url))
    assert [found.url for found in find()] == [url]


def test_a_name_is_announced_as_one_plain_line() -> None:
    assert describe_this_process(kernel_id="k", name="a\nb\x1b[31m", url="", token=Secret("")).name == r"a\nb\x1b[31m"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
FIELDS = [each.name for each in fields(Entry)]
LIKELY = {
    "started": st.floats() | st.integers() | st.floats(0, 2**33),
    "pid": st.just(os.getpid()) | st.integers(),
    "process_start": st.none() | st.integers(),
    "url": st.sampled_from(["ws://127.0.0.1:1/mcp", "ws://[::1]:1", "wss://example.org", "ws://[", "ws://127.0.0.1:x"]) | st.text(),
    "cwd": st.sampled_from(["/", "\0", "(deleted folder)", "/\ud800", "/\udc80", "a/" * 2000]) | st.text(),
}
CONTENTS = st.dictionaries(st.text(max_size=8), VALUES, max_size=4) | st.fixed_dictionaries(
    {}, optional={name: LIKELY.get(name, st.none() | st.text()) | VALUES for name in FIELDS}
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=CONTENTS, whole=st.booleans())
def test_no_content_of_a_file_ends_those_who_look_choose_tell_and_list(
    content: dict[str, Any], whole: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    good = entry(kernel_id="good", name="good")
    write(good)
    put((asdict(entry()) if whole else {}) | content, "kernel-odd.json")
    found = survey()
    assert good.url in [each.url for each in found.entries], "the good one beside it"
    ignored = tuple(f"{each.path.name} {each.reason}" for each in found.ignored)
    for wish in (Wish(), Wish(cwd=str(Path.cwd())), Wish(kernel="good"), Wish(notebook="x")):
        choice = choose(found.entries, wish, None)
        told = [
            sentences.status(sentences.Situation(choice, None, None, ignored), 0.0),
            sentences.no_such("x", choice, 0.0),
            sentences.others(good, choice, 0.0),
            *(sentences.using(each) for each in found.entries),
        ]
        encode(told)
        assert choose(found.entries, wish, good).entry is not None or wish.notebook
    for as_json in (False, True):
        print_servers(as_json=as_json)
        assert "good" in capsys.readouterr().out


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=8), inner),
    )
)
def test_no_json_makes_the_reader_raise_anything_but_its_reason(content: object) -> None:
    with pytest.raises(discovery._Unusable):
        discovery._parse(content)


def test_drafts_of_a_writer_that_was_killed_are_not_read() -> None:
    write(entry())
    (folder() / ".kernel-k1-0000.tmp").write_text("{")
    assert len(find()) == 1
    assert reasons() == []


def test_a_failed_write_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **options: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("mcp_workbench.discovery.json.dumps", fail)
    with pytest.raises(OSError, match="disk full"):
        write(entry())
    assert list(folder().iterdir()) == []


def test_views_have_files_of_their_own_that_are_found_apart() -> None:
    kernel, view = write(entry()), write_view(entry(url="ws://127.0.0.1:8801/view", token=Secret("other")))
    assert (kernel.name, view.name) == ("kernel-k1.json", "view-k1.json")
    assert [found.url for found in find()] == ["ws://127.0.0.1:8801/mcp"]
    assert [(found.url, found.token) for found in find_views()] == [("ws://127.0.0.1:8801/view", Secret("other"))]
    remove(view)
    assert (find_views(), len(find())) == ([], 1)


@proc
def test_a_stale_file_of_views_goes_the_same_way() -> None:
    path = write_view(entry(process_start=1))
    assert (find_views(), path.exists()) == ([], False)


@posix
def test_a_file_of_views_is_for_its_owner_alone_and_used_only_then() -> None:
    path = write_view(entry())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    assert (find_views(), path.exists()) == ([], True)


def test_an_id_in_use_by_views_alone_is_not_given_again() -> None:
    taken = plain_kernel_id()
    path = write_view(entry(kernel_id=taken))
    assert plain_kernel_id() != taken
    remove(path)
    assert plain_kernel_id() == taken
