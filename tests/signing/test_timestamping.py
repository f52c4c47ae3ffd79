"""The time-stamping authority: asked over HTTP, and an error of its own kind when it does not answer as one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest
from aiohttp import web
from asn1crypto import keys, tsp, x509  # type: ignore[import-untyped]  # it has no types
from pyhanko.sign.timestamps.dummy_client import DummyTimeStamper

from aureum.domain.seal_certificate import SealCertificate
from aureum.pdf.sealing import seal
from aureum.pdf.verifying import verify
from aureum.signing.completing import signer_of
from aureum.signing.timestamping import AuthorityFailed
from tests.pdf.making import document
from tests.pdf.sealed import AT, HARBOR, key_of, page, trusted

ORIGINAL = document(1)
QUERY = "application/timestamp-query"


@asynccontextmanager
async def authority() -> AsyncIterator[str]:
    """A server that stamps at ``/tsr``, and fails elsewhere. It yields its address."""
    own = key_of("A Time Stamping Authority")
    stamper = DummyTimeStamper(x509.Certificate.load(own.certificate), keys.PrivateKeyInfo.load(own.key))

    async def stamp(request: web.Request) -> web.Response:
        assert request.content_type == QUERY
        asked = tsp.TimeStampReq.load(await request.read())
        return web.Response(body=stamper.request_tsa_response(asked).dump(), content_type="application/timestamp-reply")

    async def nonsense(_: web.Request) -> web.Response:
        return web.Response(text="<html>It works!</html>")

    app = web.Application()
    app.add_routes([web.post("/tsr", stamp), web.post("/html", nonsense)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def certificate() -> SealCertificate:
    made = key_of(HARBOR)
    return SealCertificate.make(uuid4(), AT, made.key, made.certificate, made.chain, imported=False)


def test_a_seal_is_time_stamped() -> None:
    async def scenario() -> None:
        async with authority() as url:
            signer = signer_of(certificate(), HARBOR, f"{url}/tsr")
            whole = await asyncio.to_thread(seal, ORIGINAL, [], page(ORIGINAL), signer)
            verdict = await asyncio.to_thread(verify, whole, trusted())
            assert verdict.unchanged and verdict.time_stamped
            for wrong in (f"{url}/html", f"{url}/nothing", "http://127.0.0.1:9/tsr"):
                with pytest.raises(AuthorityFailed):
                    signer = signer_of(certificate(), HARBOR, wrong)
                    await asyncio.to_thread(seal, ORIGINAL, [], page(ORIGINAL), signer)

    asyncio.run(scenario())
