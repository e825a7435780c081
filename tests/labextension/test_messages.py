"""The messages in TypeScript are those in Python, and every default is what a missing field means."""

from __future__ import annotations

import importlib.util
import inspect
from pathlib import Path
from types import ModuleType

import msgspec
import pytest

from mcp_workbench.views import messages

LABEXTENSION = Path(__file__).parents[2] / "labextension"


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_messages", LABEXTENSION / "generate_messages.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_typescript_messages_are_those_of_python(generator: ModuleType) -> None:
    written = (LABEXTENSION / "src" / "view" / "messages.ts").read_text(encoding="utf-8")
    assert written == generator.render(), "run `python labextension/generate_messages.py`"


def test_a_left_out_field_is_empty() -> None:
    structs = [one for one in vars(messages).values() if inspect.isclass(one) and issubclass(one, messages.Struct)]
    for struct in structs:
        for field in msgspec.structs.fields(struct):
            default = field.default_factory() if field.default is msgspec.NODEFAULT and not field.required else field.default
            assert field.required or not default or default == messages.Quantiles(), f"{struct.__name__}.{field.name}"


def test_every_message_of_a_view_is_read_back() -> None:
    for text in (b'{"type":"open","viewProtocol":1,"version":"0.1.0"}', b'{"type":"stop","id":3,"key":"s1 4"}'):
        assert messages.encode(messages.decode(text)) == text


def test_a_message_of_an_unknown_type_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        messages.decode(b'{"type":"format","id":1}')
