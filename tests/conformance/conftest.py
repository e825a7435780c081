"""The suite's verdicts, found once for all tests of this folder, and their summary at the end of the run.

Two runs of the suite at a time: most of each is waiting. Without a network the tests are skipped, in one line, unless
MCP_WORKBENCH_NO_SKIP=1.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from mcp_workbench.cli.bench.environments import EnvironmentNotMadeError
from mcp_workbench.cli.bench.processes import LineProcess
from tests.conformance.server_program import Serving
from tests.conformance.suite import LEGS, REVISIONS, VERSION, Leg, Listed, Suite, Verdict
from tests.foreign.node import NO_SKIP

LEFT_OUT: dict[Leg, tuple[str, ...]] = {"server": (), "client": ("auth/",)}
"""Beginnings of the names of scenarios that are not judged: our client has no OAuth."""
AT_A_TIME = 2
READY_WITHIN_S = 60.0
PROGRAMS = (sys.executable, "-W", "error", "-m")
CHECKOUT = Path(__file__).parents[2]

Judged = tuple[Listed, list[Verdict]]
_JUDGED = pytest.StashKey[Judged]()


@pytest.fixture(scope="session")
def suite() -> Suite:
    """The installed suite."""
    try:
        return Suite.install()
    except EnvironmentNotMadeError as error:
        if NO_SKIP:
            pytest.fail(f"no conformance suite: {error}", pytrace=False)
        pytest.skip(f"no conformance suite: {error}")


@pytest.fixture(scope="session")
def listed(suite: Suite) -> Listed:
    """What the suite has."""
    return suite.listed()


@contextmanager
def serving(runtime: Path) -> Iterator[str]:
    """The server under test: where it is reached without a token. Only while it is judged: other tests look for servers that run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(CHECKOUT))  # the programs of this folder are found from wherever the tests were started
        patch.setenv("JUPYTER_RUNTIME_DIR", str(runtime))
        with LineProcess([*PROGRAMS, "tests.conformance.server_program"]) as process:
            yield process.hear(Serving, READY_WITHIN_S).url


@pytest.fixture(scope="session")
def judged(suite: Suite, listed: Listed, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> list[Verdict]:
    """What the suite says of our server and our client."""
    client = shlex.join([*PROGRAMS, "tests.conformance.client_program"])
    with serving(tmp_path_factory.mktemp("runtime")) as server_url, ThreadPoolExecutor(AT_A_TIME) as pool:
        servers = [
            pool.submit(suite.judge_server, server_url, revision, tmp_path_factory.mktemp("server")) for revision in (*REVISIONS, None)
        ]
        clients = [
            pool.submit(suite.judge_client, client, scenario, revision, tmp_path_factory.mktemp("client"))
            for scenario, revision in expected(listed, "client")
        ]
        verdicts = [verdict for run in servers for verdict in run.result() if not is_left_out("server", verdict.scenario)]
        verdicts += [run.result() for run in clients]
    pytestconfig.stash[_JUDGED] = listed, verdicts
    return verdicts


def is_left_out(leg: Leg, scenario: str) -> bool:
    """Whether a scenario is not judged."""
    return scenario.startswith(LEFT_OUT[leg])


def expected(listed: Listed, leg: Leg) -> list[tuple[str, str | None]]:
    """Every scenario that is judged, with each revision it is of; None: an extension's."""
    scenarios = listed.scenarios[leg]
    return [
        (name, revision)
        for name, revisions in scenarios.items()
        if not is_left_out(leg, name)
        for revision in (REVISIONS if revisions else (None,))
        if revision is None or revision in revisions
    ]


def those_of(verdicts: list[Verdict], listed: Listed, leg: Leg, revision: str | None) -> list[Verdict]:
    """The verdicts of one revision; None: on extensions, for what also ran at its revisions counts there."""
    found = [each for each in verdicts if (each.leg, each.revision) == (leg, revision)]
    return [each for each in found if revision is not None or not listed.scenarios[leg][each.scenario]]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say how it went, revision by revision."""
    if _JUDGED not in config.stash:
        return
    listed, verdicts = config.stash[_JUDGED]
    terminalreporter.section(f"MCP conformance, suite {VERSION}")
    for leg in LEGS:
        for revision in (*REVISIONS, None):
            if of_both := those_of(verdicts, listed, leg, revision):
                terminalreporter.write_line(_line(leg, revision, of_both, listed.required[leg].get(revision or "", ())))
        if left_out := sum(is_left_out(leg, name) for name in listed.scenarios[leg]):
            terminalreporter.write_line(f"{leg} not judged   {left_out} scenarios: {', '.join(f'{name}*' for name in LEFT_OUT[leg])}")


def _line(leg: Leg, revision: str | None, verdicts: list[Verdict], required: tuple[str, ...]) -> str:
    said = ", ".join(f"{sum(each.count(status) for each in verdicts)} {word}" for word, status in _COUNTED.items())
    scored = sum(each.scenario in required for each in verdicts)
    of_them = f", {scored} of the {len(required)} that it requires" if required else ""
    return f"{leg} {revision or 'extensions'}   {said} in {len(verdicts)} scenarios{of_them}"


_COUNTED = {"checks passed": "SUCCESS", "failed": "FAILURE", "warnings": "WARNING", "not applicable": "SKIPPED"}
"""Word -> status of a check."""
