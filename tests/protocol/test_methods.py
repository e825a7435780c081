"""Our tables of methods against those of `mcp-types`, revision by revision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from mcp_types import methods as oracle

from mcp_workbench.protocol import methods, wire
from mcp_workbench.protocol.methods import Method
from mcp_workbench.protocol.versions import LEGACY_VERSIONS, MODERN_VERSIONS

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
    assert {(name, version) for name, method in ours.items() for version in VERSIONS if method.exists_in(version)} == set(theirs)


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
