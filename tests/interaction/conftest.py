"""Each interaction test runs for every transport and every revision it is marked for."""

from __future__ import annotations

import pytest

from tests.interaction.doors import revisions_over
from tests.support.stage import TRANSPORTS, VERSIONS, Stage


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "stage" in metafunc.fixturenames:
        mark = metafunc.definition.get_closest_marker("versions")
        versions = VERSIONS if mark is None else mark.args
        test = metafunc.function.__name__
        cases = [(transport, version) for transport in TRANSPORTS for version in revisions_over(transport, test, versions)]
        metafunc.parametrize("stage", cases, indirect=True, ids=[f"{transport}-{version}" for transport, version in cases])


@pytest.fixture
def stage(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """A fresh Workbench; asyncio's debug mode watches both loops, which catches calls from a wrong thread."""
    monkeypatch.setenv("PYTHONASYNCIODEBUG", "1")
    return Stage(*request.param)
