"""Our tables of methods against those of `mcp-types`, revision by revision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from mcp_types import methods as oracle

from mcp_workbench.protocol import methods, wire
from mcp_workbench.protocol.methods import Method
from mcp_workbench.protocol.versions import LEGACY_VERSIONS, MODERN_VERSIONS
from tests.support import task_schema

VERSIONS = (*LEGACY_VERSIONS, *MODERN_VERSIONS)
TABLES: list[tuple[dict[str, Method], Mapping[tuple[str, str], Any]]] = [
    (methods.CLIENT_REQUESTS, oracle.CLIENT_REQUESTS),
    (methods.SERVER_REQUESTS, oracle.SERVER_REQUESTS),
    (methods.CLIENT_NOTIFICATIONS, oracle.CLIENT_NOTIFICATIONS),
    (methods.SERVER_NOTIFICATIONS, oracle.SERVER_NOTIFICATIONS),
]


@pytest.mark.parametrize(
    ("ours", "theirs"), TABLES, ids=["client requests", "server requests", "client notifications", "server notifications"]
)
def test_each_revision_has_the_methods_of_the_specification(ours: dict[str, Method], theirs: Mapping[tuple[str, str], Any]) -> None:
    here = {(name, version) for name, method in ours.items() for version in VERSIONS if method.exists_in(version)}
    assert {(name, version) for name, version in here if not _is_of_an_extension(name)} == set(theirs)


def _is_of_an_extension(method: str) -> bool:
    return method in task_schema.METHODS or method == task_schema.NOTIFICATION


def test_methods_of_the_extension_for_tasks_are_of_the_modern_era_alone() -> None:
    everything = methods.CLIENT_REQUESTS | methods.SERVER_NOTIFICATIONS
    assert {name for name in everything if _is_of_an_extension(name)} == task_schema.METHODS | {task_schema.NOTIFICATION}
    for name in (*task_schema.METHODS, task_schema.NOTIFICATION):
        assert [version for version in VERSIONS if everything[name].exists_in(version)] == list(MODERN_VERSIONS)


def test_the_oracle_knows_the_same_revisions() -> None:
    assert {version for _, version in oracle.CLIENT_REQUESTS} == set(VERSIONS)


def test_every_capability_named_is_one_a_server_can_declare() -> None:
    named = {method.capability for method in methods.CLIENT_REQUESTS.values()} - {None}
    assert named <= set(wire.ServerCapabilities.__struct_fields__)


def test_what_may_be_cached_is_what_the_specification_says() -> None:
    cacheable = {kind.__name__ for kind in wire.CacheableResult.__subclasses__()}
    assert cacheable == {
        "DiscoverResult",
        "ListPromptsResult",
        "ListResourcesResult",
        "ListResourceTemplatesResult",
        "ListToolsResult",
        "ReadResourceResult",
    }
    assert len(cacheable) == len(oracle.CACHEABLE_METHODS)
