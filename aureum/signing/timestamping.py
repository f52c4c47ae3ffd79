"""The time-stamping authority that the operator has set: it attests when a document was sealed (RFC 3161)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyhanko.sign.timestamps import TimeStamper

SECONDS = 20.0
MOST_ANSWER = 1 << 20


class AuthorityFailed(Exception):
    """The time-stamping authority of AUREUM_TSA_URL cannot be reached, or does not answer with a time stamp."""


def timestamper(url: str) -> TimeStamper:
    """What asks the authority at *url*. It raises AuthorityFailed."""
    import aiohttp
    from asn1crypto import tsp  # type: ignore[import-untyped]  # it has no types
    from pyhanko.sign.timestamps import TimeStamper

    class Authority(TimeStamper):
        """Asks by HTTP, with a connection of its own each time: a seal has an event loop of its own."""

        async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
            try:
                async with (
                    aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=SECONDS)) as session,
                    session.post(
                        url, data=req.dump(), headers={"Content-Type": "application/timestamp-query"}
                    ) as answer,
                ):
                    body = await answer.content.read(MOST_ANSWER)
                    if answer.status != 200:
                        raise AuthorityFailed
                    return tsp.TimeStampResp.load(body, strict=True)
            except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
                raise AuthorityFailed from error

    return Authority()  # type: ignore[no-untyped-call]  # the library's constructor has no types
