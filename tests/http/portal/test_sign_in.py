"""Signing in by a mail."""

from tests.http.portal.client import Client


def test_a_client_signs_in_by_the_code(client: Client) -> None:
    assert client.is_in
    page = client.read("/portal")
    assert page.said("h1") == ["Welcome"]
