"""What DocuSign tells in whatever order and however often: the envelope ends as if all had come once, in order."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aureum.domain.envelope import Envelope
from aureum.domain.errors import WrongState
from aureum.signing.docusign.connect import from_name
from aureum.signing.docusign.outgoing import signers_of
from aureum.signing.docusign.recording import apply
from aureum.signing.docusign.status import ProviderStatus, SignerStatus
from tests.domain.test_envelope import AT, ready

PROVIDER_ID = "6f1e29d1-7a3b-4a06-9f6e-2d0c7c1b8a55"
LATER = datetime(2026, 1, 2, tzinfo=UTC)


def sent(**of: bool) -> Envelope:
    one = ready((1, 2), copies=1, provider="docusign", **of)
    one.send(AT)
    return one


def called(name: str, number: int = 0) -> ProviderStatus:
    return from_name(name, str(number), LATER)


CALLS = [
    called("envelope-sent"),
    called("recipient-sent", 1),
    called("recipient-delivered", 1),
    called("recipient-completed", 1),
    called("recipient-sent", 2),
    called("recipient-delivered", 2),
    called("recipient-completed", 2),
    called("envelope-completed"),
    called("envelope-corrected"),
]
LISTS = st.permutations(CALLS).flatmap(lambda one: st.lists(st.sampled_from(one), max_size=10).map(one.__add__))


@given(LISTS)
def test_order_and_repetition_do_not_matter(calls: list[ProviderStatus]) -> None:
    envelope = sent()
    for said in calls:
        apply(envelope, PROVIDER_ID, said, LATER)
    assert envelope.state == "completing"
    kinds = [type(one).__name__ for one in envelope.pending_events]
    assert kinds.count("Signed") == 2 and kinds.count("ProviderLinked") == 1 and kinds.count("Viewed") <= 2


@given(st.permutations([*CALLS[:6], called("recipient-declined", 2)]))
def test_a_decline_ends_it_whatever_comes_then(calls: list[ProviderStatus]) -> None:
    envelope = sent()
    for said in calls:
        apply(envelope, PROVIDER_ID, said, LATER)
    assert envelope.state == "declined"
    assert [type(one).__name__ for one in envelope.pending_events].count("Declined") == 1


def test_signers_are_known_by_our_ids_and_no_one_else() -> None:
    envelope = sent()
    first, second = signers_of(envelope)
    copy = next(one for one in envelope.recipients.values() if one.role == "copy")
    told = (
        SignerStatus(copy.id, 3, "signed"),
        SignerStatus(second.id, 1, "viewed"),
        SignerStatus(None, 9, "signed"),
        SignerStatus(None, None, "declined"),
    )
    apply(envelope, PROVIDER_ID, ProviderStatus("sent", signers=told), LATER)
    assert [envelope.recipients[one.id].state for one in (first, second, copy)] == ["invited", "viewed", "waiting"]


def test_another_envelope_at_docusign_is_refused() -> None:
    envelope = sent()
    apply(envelope, PROVIDER_ID, called("envelope-sent"), LATER)
    with pytest.raises(WrongState):
        apply(envelope, "00000000-0000-0000-0000-000000000000", called("envelope-voided"), LATER)
    assert envelope.state == "sent"
