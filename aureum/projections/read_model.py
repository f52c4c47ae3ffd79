"""What every read model offers, and what those that can be rebuilt offer besides."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable


class ReadModel(Protocol):
    """What each of them offers. ``EVENTS`` is the base of the events that it is made of."""

    @property
    def NAME(self) -> str: ...

    @property
    def APPEND(self) -> str: ...

    @property
    def EVENTS(self) -> type: ...

    def rows(self, before: Sequence[Any], new: Sequence[Any]) -> list[dict[str, Any]]: ...


@runtime_checkable
class Versioned(ReadModel, Protocol):
    """One that can be rebuilt beside the live one. The head row of each tenant says which version is live
    (``{NAME}_version``), and which version of the step made its rows (``{NAME}_step``)."""

    @property
    def STEP_VERSION(self) -> int: ...


@runtime_checkable
class Summed(ReadModel, Protocol):
    """One to which several streams add. ``ALONE`` is its statement where an append is of one stream."""

    @property
    def ALONE(self) -> str: ...


@runtime_checkable
class Exclusive(ReadModel, Protocol):
    """One with a unique index, which may refuse a row: what that means, by the index's name or the table's."""

    @property
    def TAKEN(self) -> Mapping[str, str]: ...
