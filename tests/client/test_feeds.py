"""How one notification becomes news."""

from __future__ import annotations

from mcp_workbench.client.feeds import LIST_CHANGED, fold_listing, fold_update
from mcp_workbench.client.updates import ResourceUpdated
from mcp_workbench.protocol import wire
from mcp_workbench.protocol.methods import SERVER_NOTIFICATIONS


def test_an_update_counts_those_it_replaces_and_keeps_its_own_facts() -> None:
    fold = fold_update(wire.ResourceUpdatedParams(uri="df://a/rows", meta={"k": 1}))
    assert fold(None) == ResourceUpdated("df://a/rows", 1, {"k": 1})
    assert fold(ResourceUpdated("df://a", 4)) == ResourceUpdated("df://a/rows", 5, {"k": 1})


def test_every_list_that_can_change_has_its_word() -> None:
    assert sorted(LIST_CHANGED.values()) == ["prompts", "resources", "tools"]
    assert set(LIST_CHANGED) == {method for method in SERVER_NOTIFICATIONS if method.endswith("list_changed")}
    assert fold_listing("tools")("tools") == "tools"
