"""The threads for slow hashes, shared fairly: a client who floods them waits behind its own work, and no other client
does.

Each client address has a line of its own. A free thread goes to the next network in turn, and within
it to the next address in turn: beside an address with thirty guesses, one right login waits for the one hash that is
being computed. Everything has a bound: the line of an address, all lines together, and the time in them.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any, TypeVar

from aureum.domain.errors import Busy

Result = TypeVar("Result")
Turn = asyncio.Future[None]

THREADS = 2

WAITING_EACH = 32
"""Of one client: about a second of work."""

WAITING = 512
"""Of all clients: about a quarter of a minute of work. More would only wait until their clients give up."""

PATIENCE = 15.0
"""Seconds in a line."""


def network_of(client: str) -> str:
    """The network that a *client* address belongs to: 24 bits of IPv4, 48 of IPv6; what is no address is its own."""
    try:
        address = ip_address(client.partition("/")[0])
    except ValueError:
        return client
    return str(ip_network((address, 48 if isinstance(address, IPv6Address) else 24), strict=False))


class Lines:
    """Those who wait, by network and client; the next is taken from each in turn."""

    def __init__(self) -> None:
        self.networks: OrderedDict[str, OrderedDict[str, deque[Turn]]] = OrderedDict()
        self.length = 0

    def of(self, client: str) -> int:
        """How many of this *client* wait."""
        clients = self.networks.get(network_of(client))
        return 0 if clients is None else len(clients.get(client, ()))

    def join(self, client: str, turn: Turn) -> None:
        """Stand in the client's line."""
        clients = self.networks.setdefault(network_of(client), OrderedDict())
        clients.setdefault(client, deque()).append(turn)
        self.length += 1

    def leave(self, client: str, turn: Turn) -> None:
        """Stop waiting. Does nothing for a caller that does not wait."""
        clients = self.networks.get(network_of(client))
        if clients is not None and turn in clients.get(client, ()):
            clients[client].remove(turn)
            self._drop_empty(network_of(client), client)
            self.length -= 1

    def next(self) -> Turn:
        """Whose turn it is. There must be someone."""
        network, clients = next(iter(self.networks.items()))
        client, turns = next(iter(clients.items()))
        turn = turns.popleft()
        self.networks.move_to_end(network)
        clients.move_to_end(client)
        self._drop_empty(network, client)
        self.length -= 1
        return turn

    def last_of_longest(self) -> Turn | None:
        """The last of the longest line of the network with most who wait; None if no network has two."""
        network, clients = max(self.networks.items(), key=lambda item: sum(map(len, item[1].values())))
        if sum(map(len, clients.values())) < 2:
            return None
        client, turns = max(clients.items(), key=lambda item: len(item[1]))
        turn = turns.pop()
        self._drop_empty(network, client)
        self.length -= 1
        return turn

    def _drop_empty(self, network: str, client: str) -> None:
        clients = self.networks[network]
        if not clients[client]:
            del clients[client]
        if not clients:
            del self.networks[network]


class Hashing:
    """Threads for slow hashes, and the lines before them. One a process."""

    def __init__(
        self,
        threads: int = THREADS,
        waiting_each: int = WAITING_EACH,
        waiting: int = WAITING,
        patience: float = PATIENCE,
    ) -> None:
        self.executor = ThreadPoolExecutor(threads, "aureum-passwords")
        self.free = threads
        self.waiting_each = waiting_each
        self.waiting = waiting
        self.patience = patience
        self.lines = Lines()

    async def run(
        self,
        work: Callable[..., Result],
        *arguments: Any,
        client: str,
        first: Callable[[], Awaitable[float]] | None = None,
    ) -> Result:
        """*work* in a thread when it is the *client*'s turn; before it *first*, which may refuse, or say how many
        seconds to wait. Raises Busy if too many of this client wait or its turn does not come, and what both raise."""
        await self._turn(client)
        holds = True
        try:
            if first is not None and (seconds := await first()):
                # The thread goes to the next in line while this one waits.
                self._pass_on()
                holds = False
                await asyncio.sleep(seconds)
                await self._turn(client)
                holds = True
            ended = asyncio.wrap_future(self.executor.submit(work, *arguments))
        except BaseException:
            if holds:
                self._pass_on()
            raise
        ended.add_done_callback(self._ended)
        return await asyncio.shield(ended)

    def _ended(self, future: asyncio.Future[Any]) -> None:
        """The hash is there, and its thread free, also if the caller has gone: it cannot be stopped."""
        self._pass_on()
        if not future.cancelled():
            # The caller has gone, and will not look at what went wrong.
            future.exception()

    async def _turn(self, client: str) -> None:
        """Wait for a thread. Raises Busy."""
        if self.free and not self.lines.length:
            self.free -= 1
            return
        if self.lines.of(client) >= self.waiting_each:
            raise Busy(retry_after=2)
        if self.lines.length >= self.waiting:
            given_up = self.lines.last_of_longest()
            if given_up is None:
                raise Busy(retry_after=2)
            given_up.cancel()
        turn: Turn = asyncio.get_running_loop().create_future()
        self.lines.join(client, turn)
        try:
            await asyncio.wait_for(asyncio.shield(turn), self.patience)
        except BaseException as error:
            given_up_on = turn.cancelled()
            self.lines.leave(client, turn)
            if turn.done() and not given_up_on:
                # It came at this very moment.
                self._pass_on()
            if isinstance(error, TimeoutError) or given_up_on:
                raise Busy(retry_after=5) from error
            raise

    def _pass_on(self) -> None:
        """A thread is free: for whose turn it is, if anyone waits."""
        if self.lines.length:
            self.lines.next().set_result(None)
        else:
            self.free += 1


HASHING = Hashing()
