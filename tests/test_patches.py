"""What is replaced is put back, unless it has become somebody else's."""

from __future__ import annotations

import pytest

from mcp_workbench.patches import Patches


class Base:
    colour = "red"


class Owner(Base):
    size = 1


def test_an_attribute_is_ours_until_it_is_put_back() -> None:
    patches = Patches()
    patches.replace(Owner, "size", 2)
    assert Owner.size == 2
    patches.restore()
    assert vars(Owner)["size"] == 1


def test_an_attribute_that_was_inherited_is_inherited_again() -> None:
    patches, owner = Patches(), Owner()
    patches.replace(Owner, "colour", "blue")
    patches.replace(owner, "size", 3)
    patches.restore()
    assert "colour" not in vars(Owner)
    assert vars(owner) == {}


def test_what_somebody_has_set_meanwhile_stays() -> None:
    patches, owner = Patches(), Owner()
    patches.replace(owner, "size", 2)
    patches.replace(owner, "colour", "blue")
    owner.size = 5
    del owner.colour
    patches.restore()
    assert vars(owner) == {"size": 5}


def test_the_last_is_put_back_first_and_everything_once() -> None:
    patches, owner, order = Patches(), Owner(), []
    patches.replace(owner, "size", 2)
    patches.on_restore(lambda: order.append(owner.size))
    patches.replace(owner, "size", 3)
    patches.on_restore(lambda: order.append(owner.size))
    patches.restore()
    patches.restore()
    assert order == [3, 2]
    assert vars(owner) == {}


@pytest.mark.parametrize("owner", [int, object()], ids=["a class written in C", "an object without attributes of its own"])
def test_what_takes_no_attribute_is_left_alone(owner: object) -> None:
    patches = Patches()
    with pytest.raises((AttributeError, TypeError)):
        patches.replace(owner, "real", 1)
    patches.restore()
    assert int.real is not None
