"""Which kernel a bridge belongs to, as tables."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from mcp_workbench.discovery import Entry
from mcp_workbench.relay.choosing import Wish, choose, find_named, is_restart, is_same_notebook, labels
from tests.relay.rig import an_entry

FLIGHTS = an_entry("flights.ipynb", notebook="/data/travel/flights.ipynb", cwd="/data/travel")
WEATHER = an_entry("weather.ipynb", notebook="/data/climate/weather.ipynb", cwd="/data/climate")
NOTES = an_entry("notes.ipynb", notebook="/data/travel/deep/notes.ipynb", cwd="/data/travel/deep")
SCRIPT = an_entry("script", notebook=None, cwd="/data/travel", kernel_id="pid-7-1")
ALL = (FLIGHTS, WEATHER, NOTES)


@pytest.mark.parametrize(
    ("entries", "wish", "chosen", "several"),
    [
        ((), Wish(), None, False),
        ((FLIGHTS,), Wish(cwd="/"), FLIGHTS, False),
        ((FLIGHTS,), Wish(cwd="/elsewhere"), FLIGHTS, False),
        (ALL, Wish(cwd="/"), None, True),
        (ALL, Wish(cwd="/elsewhere"), None, True),
        (ALL, Wish(cwd="/data/climate"), WEATHER, False),
        (ALL, Wish(cwd="/data/climate/data"), WEATHER, False),
        (ALL, Wish(cwd="/data/travel"), None, True),
        ((WEATHER, NOTES), Wish(cwd="/data/travel"), NOTES, False),
        ((FLIGHTS, WEATHER), Wish(cwd="/data/travelling"), None, True),
        ((SCRIPT, WEATHER), Wish(cwd="/data/travel"), SCRIPT, False),
        (ALL, Wish(kernel="weather.ipynb", cwd="/data/travel"), WEATHER, False),
        (ALL, Wish(kernel="WEATHER"), WEATHER, False),
        (ALL, Wish(kernel="id-of-n"), NOTES, False),
        (ALL, Wish(kernel="id-of"), None, True),
        (ALL, Wish(kernel="nobody"), None, False),
        (ALL, Wish(notebook="/data/climate/weather.ipynb"), WEATHER, False),
        (ALL, Wish(notebook="weather.ipynb", cwd="/data/climate"), WEATHER, False),
        (ALL, Wish(notebook="weather.ipynb", cwd="/data"), None, False),
    ],
)
def test_flag_then_folder_then_the_only_one(entries: tuple[Entry, ...], wish: Wish, chosen: Entry | None, several: bool) -> None:
    choice = choose(entries, wish, None)
    assert (choice.entry, choice.several) == (chosen, several)


def test_candidates_are_all_with_the_near_ones_first_and_only_fitting_ones_with_a_flag() -> None:
    assert choose(ALL, Wish(cwd="/data/climate"), None).candidates == (WEATHER, FLIGHTS, NOTES)
    assert choose(ALL, Wish(kernel="notes", cwd="/data/climate"), None).candidates == (NOTES,)


@pytest.mark.parametrize(
    ("wish", "missing"), [(Wish(kernel="x"), "a kernel called x"), (Wish(notebook="a/x.ipynb"), "a kernel of a/x.ipynb"), (Wish(), None)]
)
def test_what_a_flag_asked_for_in_vain_is_named(wish: Wish, missing: str | None) -> None:
    assert choose((), wish, None).missing == missing


def test_when_nothing_fits_a_flag_those_that_run_are_known_and_cannot_be_chosen() -> None:
    choice = choose(ALL, Wish(kernel="flihgts"), None)
    assert (choice.entry, choice.candidates, choice.several, choice.refused) == (None, (), False, ALL)
    assert choice.flag == "--kernel flihgts"
    assert choose((WEATHER,), Wish(notebook="a/x.ipynb"), None).flag == "--notebook a/x.ipynb"
    assert choose(ALL, Wish(kernel="notes"), None).flag is None


def test_it_comes_back_to_the_notebook_it_had_and_moves_to_no_other_by_itself() -> None:
    restarted = dataclasses.replace(FLIGHTS, pid=9, url="ws://127.0.0.1:9/mcp")
    assert choose((WEATHER, restarted), Wish(), FLIGHTS).entry is restarted
    gone = choose((WEATHER,), Wish(), FLIGHTS)
    assert (gone.entry, gone.candidates, gone.several) == (None, (WEATHER,), True)
    assert gone.missing == "the kernel of flights.ipynb"
    assert choose((), Wish(), FLIGHTS).several is False


def test_a_notebook_opened_in_a_new_kernel_is_the_same_one() -> None:
    reopened = dataclasses.replace(FLIGHTS, kernel_id="another", pid=9)
    assert choose((WEATHER, reopened), Wish(), FLIGHTS).entry is reopened
    assert is_same_notebook(FLIGHTS, reopened)
    assert not is_same_notebook(FLIGHTS, WEATHER)
    assert is_same_notebook(SCRIPT, dataclasses.replace(SCRIPT, kernel_id="pid-8-1"))
    assert not is_same_notebook(SCRIPT, dataclasses.replace(SCRIPT, kernel_id="pid-8-1", cwd="/elsewhere"))


def test_a_restart_is_another_process() -> None:
    assert is_restart(FLIGHTS, dataclasses.replace(FLIGHTS, pid=2))
    assert is_restart(FLIGHTS, dataclasses.replace(FLIGHTS, process_start=2))
    assert not is_restart(FLIGHTS, dataclasses.replace(FLIGHTS, url="ws://127.0.0.1:9/mcp", started=5.0))


@pytest.mark.parametrize("name", ["flights.ipynb", "Flights", "/data/travel/flights.ipynb", "id-of-flights.ipynb", "id-of-fl"])
def test_a_name_may_be_a_path_an_id_or_without_its_ending(name: str) -> None:
    assert find_named(name, ALL) == (FLIGHTS,)


@pytest.mark.parametrize("name", ["travel/flights.ipynb", "Travel/Flights", "data/travel/flights", "./travel/flights.ipynb"])
def test_a_name_may_be_the_end_of_a_path(name: str) -> None:
    assert find_named(name, ALL) == (FLIGHTS,)


def test_the_end_of_a_path_that_fits_several_finds_them_all_and_a_whole_path_goes_before() -> None:
    other = dataclasses.replace(FLIGHTS, kernel_id="other", notebook="/old/data/travel/flights.ipynb")
    assert find_named("travel/flights", (FLIGHTS, other, NOTES)) == (FLIGHTS, other)
    assert find_named("/data/travel/flights.ipynb", (FLIGHTS, other)) == (FLIGHTS,)


@pytest.mark.parametrize("name", ["", "id-", "light", "/data", "/travel/flights.ipynb", "avel/flights", "travel/", "../flights"])
def test_what_names_nothing_finds_nothing(name: str) -> None:
    assert find_named(name, ALL) == ()


def test_labels_tell_notebooks_of_one_name_apart() -> None:
    other = dataclasses.replace(FLIGHTS, kernel_id="other", notebook="/data/old/flights.ipynb")
    twin = dataclasses.replace(WEATHER, kernel_id="twin")
    assert list(labels((FLIGHTS, other, NOTES))) == ["/data/travel/flights.ipynb", "/data/old/flights.ipynb", "notes.ipynb"]
    assert list(labels((WEATHER, twin))) == [WEATHER.kernel_id, "twin"]
    for candidates in ((FLIGHTS, other, NOTES), (WEATHER, twin)):
        assert all(find_named(label, candidates) == (entry,) for label, entry in labels(candidates).items())


def test_links_in_paths_are_followed(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.mkdir()
    (tmp_path / "link").symlink_to(real)
    entry = dataclasses.replace(FLIGHTS, notebook=str(real / "flights.ipynb"), cwd=str(real))
    assert choose((entry, WEATHER), Wish(cwd=str(tmp_path / "link")), None).entry is entry
    assert choose((entry, WEATHER), Wish(notebook=str(tmp_path / "link" / "flights.ipynb")), None).entry is entry
