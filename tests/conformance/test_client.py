"""Our client before the official suite: every scenario that needs no OAuth."""

from __future__ import annotations

import pytest

from tests.conformance.conftest import expected
from tests.conformance.suite import REVISIONS, Listed, Verdict

pytestmark = [pytest.mark.foreign, pytest.mark.timeout(600)]


@pytest.mark.parametrize("revision", [revision for revision in REVISIONS if revision > "2025-03-26"])
def test_every_check_of_a_revision_passes(judged: list[Verdict], revision: str) -> None:
    verdicts = [each for each in judged if (each.leg, each.revision) == ("client", revision)]
    objections = [said for each in verdicts for said in each.objections("FAILURE", "WARNING")]
    assert not objections, "\n".join(objections)
    assert all(each.count("SUCCESS") for each in verdicts), "a scenario in which nothing was looked at has shown nothing"


def test_nothing_fails_in_what_is_of_extensions(judged: list[Verdict]) -> None:
    objections = [said for each in judged if each.leg == "client" for said in each.objections("FAILURE", "WARNING")]
    assert not objections, "\n".join(objections)


def test_no_scenario_without_oauth_was_left_out_unseen(judged: list[Verdict], listed: Listed) -> None:
    ran = {(each.scenario, each.revision) for each in judged if each.leg == "client" and each.checks}
    assert set(expected(listed, "client")) - ran == set()
    for revision, required in listed.required["client"].items():
        assert {(name, revision) for name in required if not name.startswith("auth/")} - ran == set()
