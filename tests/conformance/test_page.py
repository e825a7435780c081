"""What `docs/conformance.md` says of the result is what came out."""

from __future__ import annotations

import re

import pytest

from tests.conformance.conftest import CHECKOUT, those_of
from tests.conformance.suite import LEGS, REVISIONS, VERSION, Listed, Verdict

pytestmark = [pytest.mark.foreign, pytest.mark.timeout(600)]

PAGE = CHECKOUT / "docs" / "conformance.md"
_ROW = re.compile(r"\| (server|client), (\S+) \| (\d+) \| (?:(\d+) of (\d+))? ?\| (\d+) \| (\d+) \| (\d+) \|")


def test_the_page_tells_the_version_and_the_result(judged: list[Verdict], listed: Listed) -> None:
    text = PAGE.read_text(encoding="utf-8")
    said = {(row[1], row[2]): tuple(int(number or 0) for number in row.groups()[2:]) for row in _ROW.finditer(text)}
    found: dict[tuple[str, str], tuple[int, ...]] = {}
    for leg in LEGS:
        for revision in (*REVISIONS, None):
            verdicts = those_of(judged, listed, leg, revision)
            required = listed.required[leg].get(revision or "", ())
            counts = [sum(each.count(status) for each in verdicts) for status in ("SUCCESS", "FAILURE", "WARNING")]
            if verdicts:
                found[leg, revision or "extensions"] = (
                    len(verdicts),
                    sum(each.scenario in required for each in verdicts),
                    len(required),
                    *counts,
                )
    assert said == found
    assert f"suite {VERSION}\n" in text
