"""What a process remembers: a bounded number of values, of which the least recently used is forgotten first."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Iterator
from typing import Any, Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


def one(_: Any) -> int:
    """Each value counts as much as any other."""
    return 1


class Lru(Generic[Key, Value]):
    """Values by key, none of them None: at most *limit*, or where *size* says how large a value is, of that size."""

    def __init__(self, limit: int, size: Callable[[Value], int] = one) -> None:
        self.limit = limit
        self.size = size
        self.used = 0
        self._kept: OrderedDict[Key, Value] = OrderedDict()

    def __iter__(self) -> Iterator[Key]:
        """The keys, the least recently used first."""
        return iter(self._kept)

    def find(self, key: Key) -> Value | None:
        """The value, which counts as used; None if there is none."""
        value = self._kept.get(key)
        if value is not None:
            self._kept.move_to_end(key)
        return value

    def keep(self, key: Key, value: Value) -> None:
        """Remember *value*, unless it alone is too large."""
        self.forget(key)
        size = self.size(value)
        if size > self.limit:
            return
        self._kept[key] = value
        self.used += size
        while self.used > self.limit:
            _, forgotten = self._kept.popitem(last=False)
            self.used -= self.size(forgotten)

    def forget(self, key: Key) -> None:
        """Does nothing for a key that is not remembered."""
        forgotten = self._kept.pop(key, None)
        if forgotten is not None:
            self.used -= self.size(forgotten)


class ReadThrough(Lru[Key, Value]):
    """Reads what it does not have, once for all who ask at the same moment."""

    def __init__(self, limit: int, size: Callable[[Value], int] = one) -> None:
        super().__init__(limit, size)
        self._reading: dict[Key, asyncio.Future[Value]] = {}

    async def get(self, key: Key, read: Callable[[], Awaitable[Value]]) -> Value:
        """The value of *key*, from *read* if it is not remembered. Raises what *read* raises."""
        kept = self.find(key)
        if kept is not None:
            return kept
        reading = self._reading.get(key)
        return await asyncio.shield(self._read(key, read) if reading is None else reading)

    def _read(self, key: Key, read: Callable[[], Awaitable[Value]]) -> asyncio.Future[Value]:
        """Read in a task of its own: the first who asked may be cancelled while others wait."""
        reading: asyncio.Future[Value] = asyncio.ensure_future(read())
        self._reading[key] = reading

        def done(read: asyncio.Future[Value]) -> None:
            del self._reading[key]
            if not read.cancelled() and read.exception() is None:
                self.keep(key, read.result())

        reading.add_done_callback(done)
        return reading
