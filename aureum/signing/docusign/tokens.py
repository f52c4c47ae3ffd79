"""The tokens of a process: one for each account, asked for once by all who wait for it, and given up shortly before its
end."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from weakref import WeakValueDictionary

from yarl import URL

from aureum.lru import Lru
from aureum.signing.docusign.account import Account
from aureum.signing.docusign.failures import Failed

EARLY_SECONDS = 300.0
"""So long before its end a token is given up: a call that carries documents takes its time."""
MOST = 1_000


@dataclass(frozen=True, slots=True)
class Token:
    """What opens an account: the bearer token, and the account's server. It ``lasts`` so many seconds."""

    bearer: str
    server: URL
    lasts: int

    def __repr__(self) -> str:
        return f"Token({self.server})"


class Tokens:
    """*clock* only goes forward."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: Lru[bytes, tuple[Token, float]] = Lru(MOST)
        self._asking: WeakValueDictionary[bytes, asyncio.Lock] = WeakValueDictionary()

    def forget(self, account: Account) -> None:
        """The account's token was refused."""
        self._kept.forget(account.fingerprint)

    async def get(self, account: Account, ask: Callable[[Account], Awaitable[Token | Failed]]) -> Token | Failed:
        """The account's token, from *ask* if there is none that lasts."""
        lock = self._asking.setdefault(account.fingerprint, asyncio.Lock())
        async with lock:
            kept = self._kept.find(account.fingerprint)
            if kept is not None and self._clock() < kept[1]:
                return kept[0]
            asked_at = self._clock()
            asked = await ask(account)
            if isinstance(asked, Token):
                self._kept.keep(account.fingerprint, (asked, asked_at + asked.lasts - EARLY_SECONDS))
            return asked
