"""Arguments from the wire -> keyword arguments of a function, by a binder compiled at registration.

All plain parameters are validated by one pydantic schema (`plain_parameters`); parameters that stand for something live
(a DataFrame named by its published name) are claimed by an `ArgumentBinder` that another room brings.
This module knows neither DataFrames nor calls: JSON in, Python values out, or one sentence.

Decided here, and tested:

* Validation is pydantic's lax mode: `"5"` is an int, `"2026-01-31"` a date. A `str` parameter stays text
  even when the text is JSON. Text is decoded as JSON only where it did not fit as text and begins
  with `[` or `{`: models send lists that way.
* A parameter without annotation takes any JSON value.
* A parameter left out is left to the function: its default is used as it is, never copied or validated
  again. A default is validated once, at registration.
* The context parameter is no argument: its name from the wire is an unknown argument like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, cast

import msgspec
from pydantic import ValidationError

from mcp_workbench.errors import RegistrationError, ToolError
from mcp_workbench.primitives.mistakes import explain, top_level_names
from mcp_workbench.primitives.plain_parameters import PlainParameters
from mcp_workbench.primitives.signature import MISSING, Signature, _Missing, read_signature
from mcp_workbench.primitives.usage import parameter_texts, usage_of
from mcp_workbench.primitives.wording import quote
from mcp_workbench.protocol.wire import Json


class ArgumentError(ToolError):
    """The arguments do not fit; the text is one sentence for the model that sent them."""


class Bound(msgspec.Struct, frozen=True):
    """What a binder made of one argument."""

    value: object
    note: str | None = None
    """What was read, for record and result: `flights v17`."""


class BoundArguments(msgspec.Struct, frozen=True):
    """What to call the function with."""

    kwargs: dict[str, Any]
    notes: tuple[str, ...] = ()
    """What the binders read, in the order of the parameters."""


class ArgumentBinder(Protocol):
    """Turns the wire's name for a live thing into the thing, for the parameters it claims."""

    def claims(self, annotation: object) -> bool:
        """Whether parameters annotated so are this binder's; asked once, at registration."""
        ...

    def json_schema(self, parameter: str, annotation: object, description: str | None) -> dict[str, Json]:
        """What a client may send for it; such a parameter is never required."""
        ...

    def bind(self, parameter: str, value: Json | _Missing, default: object | _Missing, principal: str | None) -> Bound:
        """The value to call with; `value` is MISSING when the client left it out, `principal` is whose call it is.

        Raises:
            ArgumentError: Nothing fits the value, or nothing stands in for a missing one.
        """
        ...


class Arguments:
    """The compiled binder of one function.

    Attributes:
        input_schema: JSON Schema of the object a client sends.
        names: What a client may send, in the order of the parameters.
        parameters: The same as texts.
        usage: The function as a call, for sentences: `add(a: int, b: int = 2)`.
    """

    __slots__ = ("_claimed", "_validate", "input_schema", "names", "parameters", "usage")

    def __init__(
        self, signature: Signature, *, descriptions: Mapping[str, str] | None = None, binders: Sequence[ArgumentBinder] = ()
    ) -> None:
        """Compile; see `Arguments.of` for the arguments' meaning and what is raised."""
        owners = {p.name: next((b for b in binders if b.claims(p.annotation)), None) for p in signature.parameters}
        self._claimed = tuple((p, owner) for p in signature.parameters if (owner := owners[p.name]) is not None)
        plain = PlainParameters(signature.label, tuple(p for p in signature.parameters if owners[p.name] is None))
        self._validate = plain.adapter.validator.validate_python
        _refuse_shared_names(signature, plain.wire_names)
        self.parameters = parameter_texts(signature, plain.wire_names)
        self.usage = usage_of(signature.label, self.parameters)
        self.input_schema = self._schema(signature, plain, owners, descriptions or {})
        self.names = tuple(self.input_schema["properties"])

    @property
    def live(self) -> tuple[str, ...]:
        """The parameters that binders claim: what is sent for them names something live."""
        return tuple(parameter.name for parameter, _ in self._claimed)

    @classmethod
    def of(
        cls,
        function: Callable[..., Any],
        *,
        label: str | None = None,
        descriptions: Mapping[str, str] | None = None,
        binders: Sequence[ArgumentBinder] = (),
        sync_context: type | None = None,
        async_context: type | None = None,
    ) -> Arguments:
        """Read a function's signature and compile its binder.

        Args:
            function: What will be called with the bound arguments.
            label: How sentences call it; default: its own name.
            descriptions: Parameter name -> text; an `Annotated[..., Field(description=...)]` goes first.
            binders: Asked in order for every parameter; the first that claims it owns it.
            sync_context: Annotation of the context parameter of a `def`.
            async_context: The same for an `async def`.

        Raises:
            RegistrationError: The signature cannot be offered, or a default breaks its own annotation.
        """
        signature = read_signature(function, label=label, sync_context=sync_context, async_context=async_context)
        return cls(signature, descriptions=descriptions, binders=binders)

    def bind(self, arguments: dict[str, Json], principal: str | None = None) -> BoundArguments:
        """Validate and convert what a client sent.

        Args:
            arguments: The call's arguments; never changed.
            principal: Name of the principal whose call it is, for binders; None: the notebook's author.

        Returns:
            The keyword arguments, and what binders read.

        Raises:
            ArgumentError: Something is wrong, missing or unknown; one sentence that ends with the usage.
        """
        if self._claimed:
            return self._bind_claimed(arguments, principal)
        try:
            return BoundArguments(self._validate(arguments))
        except ValidationError as error:
            return BoundArguments(self._look_again(arguments, error))

    def _bind_claimed(self, arguments: dict[str, Json], principal: str | None) -> BoundArguments:
        plain = dict(arguments)
        live = [(parameter, binder, plain.pop(parameter.name, MISSING)) for parameter, binder in self._claimed]
        try:
            kwargs = self._validate(plain)
        except ValidationError as error:
            kwargs = self._look_again(plain, error)
        notes = []
        for parameter, binder, value in live:
            bound = binder.bind(parameter.name, value, parameter.default, principal)
            kwargs[parameter.name] = bound.value
            if bound.note:
                notes.append(bound.note)
        return BoundArguments(kwargs, tuple(notes))

    def _look_again(self, arguments: dict[str, Json], error: ValidationError) -> dict[str, Any]:
        """Second try with lists and objects that came as text; what still fails becomes the sentence."""
        decoded = {name: value for name in top_level_names(error) if (value := _json_in_text(arguments.get(name))) is not MISSING}
        if decoded:
            try:
                return cast(dict[str, Any], self._validate(arguments | decoded))
            except ValidationError as second:
                error, arguments = second, arguments | decoded
        raise ArgumentError(f"{explain(error, arguments, self.names)}. Expected: {self.usage}.") from None

    def _schema(
        self,
        signature: Signature,
        plain: PlainParameters,
        owners: Mapping[str, ArgumentBinder | None],
        descriptions: Mapping[str, str],
    ) -> dict[str, Json]:
        described = plain.schema(descriptions)
        own = described.pop("properties", {})
        properties: dict[str, Json] = {}
        for parameter in signature.parameters:
            binder = owners[parameter.name]
            if binder is None:
                name = plain.wire_names[parameter.name]
                properties[name] = own[name]
            else:
                properties[parameter.name] = binder.json_schema(parameter.name, parameter.annotation, descriptions.get(parameter.name))
        return {"type": "object", "properties": properties, **described}


def _refuse_shared_names(signature: Signature, wire_names: Mapping[str, str]) -> None:
    """An alias may be another parameter's name; what a client sends under it would go to one of the two."""
    owners: dict[str, str] = {}
    for parameter in signature.parameters:
        name = wire_names.get(parameter.name, parameter.name)
        if name in owners:
            raise RegistrationError(
                f"{signature.label}: {owners[name]} and {parameter.name} would both be sent as {quote(name)}; give one another alias."
            )
        owners[name] = parameter.name


def _json_in_text(value: Json) -> Json:
    if not isinstance(value, str) or value.lstrip()[:1] not in ("[", "{"):
        return MISSING
    try:
        return msgspec.json.decode(value)
    except (msgspec.DecodeError, RecursionError):
        return MISSING
