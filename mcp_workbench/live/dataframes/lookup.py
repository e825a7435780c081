"""From what an agent wrote to the snapshot it means: a published DataFrame's version, or a result of its own.

Both ways in use it: resources (`reading`) and arguments of tools (`arguments`).
"""

from __future__ import annotations

from mcp_workbench.live.dataframes.names import Reference, is_result, parse_version, said
from mcp_workbench.live.dataframes.publications import DataFrames
from mcp_workbench.live.dataframes.snapshots import Snapshot
from mcp_workbench.live.results import Results
from mcp_workbench.primitives.binding import ArgumentError
from mcp_workbench.primitives.wording import nearest


class Lookup:
    """Finds snapshots for a principal; any thread.

    Args:
        dataframes: What is published.
        results: What calls returned.
    """

    def __init__(self, dataframes: DataFrames, results: Results) -> None:
        self.dataframes = dataframes
        self.results = results

    def find(self, reference: Reference, principal: str | None) -> Snapshot:
        """Find what a reference means.

        Args:
            reference: Name and options; only `version` is looked at.
            principal: Whose results may be seen; None: the notebook's author, who sees all.

        Returns:
            The snapshot.

        Raises:
            NotFound: Nothing of that name, or a version that is not kept.
            ArgumentError: `version` is no version.
        """
        version = self._version(reference)
        if not is_result(reference.name):
            return self.dataframes.snapshot(reference.name, version)
        return self.results.snapshot(reference.name, principal, version)

    def exists(self, name: str, principal: str | None) -> bool:
        """Tell whether a name means something to a principal."""
        return name in (self.results.names(principal) if is_result(name) else self.dataframes.names())

    def _version(self, reference: Reference) -> int | None:
        texts = [text for key, text in reference.options if key == "version"]
        if not texts:
            return None
        version = parse_version(texts[-1])
        if version is None:
            latest = "" if is_result(reference.name) else f" Nearest: {self.dataframes.snapshot(reference.name).version} (latest)."
            raise ArgumentError(f"version is a number like 17 or v17, not {said(texts[-1])}.{latest}")
        return version


def only_known(reference: Reference, known: tuple[str, ...]) -> None:
    """Refuse parameters that would be ignored.

    Raises:
        ArgumentError: Names the nearest known one.
    """
    for key, _value in reference.options:
        if key not in known:
            near = nearest(key, known, 1)
            hint = f"Nearest: {near[0]}." if near else f"There are: {', '.join(known)}."
            raise ArgumentError(f"No parameter {said(key)} for {'/'.join((reference.name, *reference.parts))}. {hint}")
