"""Answers that name what an append itself chooses (``guards.Turn``), and are kept for an Idempotency-Key.

The choice is made under the lock of the log, after the answer would have to be sealed. So the append keeps which
version of which stream the answer is of. Once that is stored, the answer is made of it and takes that place. If the
process dies in between, the next request with the same key makes the answer, of the same events.
"""

from uuid import UUID

from aureum.domain.ids import from_wire, to_wire

KEEP = "UPDATE idempotency_keys SET answer = %(answer)s WHERE tenant_id = %(tenant)s AND key = %(key)s"
"""An answer that was forgotten meanwhile stays so."""

MARK = b"\0stored "
"""How what stands for an answer begins. An answer begins with its ETag, or a line break."""


def pending(stream_id: UUID, version: int) -> bytes:
    """What stands for the answer that is made of a stream at a version. It has the id as answers have it, by which an
    erasure finds what it forgets."""
    return MARK + f"{to_wire(stream_id)} {version}".encode()


def stored_at(answer: bytes) -> tuple[UUID, int] | None:
    """The stream and the version that *answer* has yet to be made of; None if it is an answer."""
    if not answer.startswith(MARK):
        return None
    shown, version = answer.removeprefix(MARK).decode().split()
    stream_id = from_wire(shown)
    assert stream_id is not None, "an answer that is to be made names a stream"
    return stream_id, int(version)
