"""Our server before the official suite: every scenario it has, no failure, no warning, nothing that could not be tried."""

from __future__ import annotations

import pytest

from tests.conformance.conftest import expected
from tests.conformance.suite import REVISIONS, Listed, Verdict

pytestmark = [pytest.mark.foreign, pytest.mark.timeout(600)]


@pytest.mark.parametrize("revision", REVISIONS)
def test_every_check_of_a_revision_passes(judged: list[Verdict], revision: str) -> None:
    verdicts = [each for each in judged if (each.leg, each.revision) == ("server", revision)]
    objections = [said for each in verdicts for said in each.objections("FAILURE", "WARNING", "SKIPPED")]
    assert not objections, "\n".join(objections)
    assert all(each.count("SUCCESS") for each in verdicts), "a scenario in which nothing was looked at has shown nothing"


def test_nothing_fails_in_all_that_the_suite_has(judged: list[Verdict]) -> None:
    verdicts = [each for each in judged if (each.leg, each.revision) == ("server", None)]
    # What is skipped is of extensions that we do not declare.
    objections = [said for each in verdicts for said in each.objections("FAILURE", "WARNING")]
    assert not objections, "\n".join(objections)


def test_no_scenario_was_left_out_unseen(judged: list[Verdict], listed: Listed) -> None:
    ran = {(each.scenario, each.revision) for each in judged if each.leg == "server"}
    assert set(expected(listed, "server")) - ran == set()
    for revision, required in listed.required["server"].items():
        assert {(name, revision) for name in required} - ran == set()
        assert len(required) >= 30
