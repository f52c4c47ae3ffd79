"""Photos of a property: whatever is taken is a list of https links, and taking it again changes nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aureum.domain.errors import Invalid
from aureum.domain.photos import LONGEST_ALT, LONGEST_URL, MOST, is_https, read_photos

URLS = st.one_of(
    st.text(max_size=60),
    st.sampled_from(["a", "b/c.jpg", "a?b=c#d", "ä", "x:80/", "x:0/", "x:99999/", "user@x/", "[::1]/a"]).map(
        "https://{}".format
    ),
)
PHOTOS = st.lists(st.fixed_dictionaries({"url": URLS, "alt": st.text(max_size=20)}), max_size=4)


@given(PHOTOS)
def test_what_is_taken_leads_to_pages_of_https(photos: list[dict[str, str]]) -> None:
    try:
        taken = read_photos(photos)
    except Invalid as error:
        assert error.field == "photos"
        return
    assert len({one["url"] for one in taken}) == len(taken) == len(photos)
    for one in taken:
        assert one["url"].startswith("https://") and one["url"].isprintable() and " " not in one["url"]
        assert not set(one["alt"]) & set("\0\r\n\x1f\x85\u2028")
    assert read_photos(taken) == taken


@pytest.mark.parametrize(
    ("url", "fits"),
    [
        ("https://cdn.example.com/1.jpg?w=800", True),
        ("https://example.com:8443/a", True),
        ("https://straße.example/ä.jpg", True),
        ("HTTPS://example.com/a", False),
        ("http://example.com/1.jpg", False),
        ("javascript:alert(1)", False),
        ("https:example.com", False),
        ("https://", False),
        ("https://user:secret@example.com/", False),
        ("https://@example.com/", False),
        ("https://example.com/a b", False),
        ("https://example.com\\@evil.example/", False),
        ("https://example.com:port/", False),
        ("https://[::1", False),
        ("//example.com/", False),
    ],
)
def test_an_address(url: str, fits: bool) -> None:
    assert is_https(url) is fits


@pytest.mark.parametrize(
    "photos",
    [
        [{"url": f"https://example.com/{place}", "alt": ""} for place in range(MOST + 1)],
        [{"url": "https://example.com/" + "a" * LONGEST_URL, "alt": ""}],
        [{"url": "https://example.com/", "alt": "a" * (LONGEST_ALT + 1)}],
        [{"url": "https://example.com/", "alt": ""}] * 2,
    ],
)
def test_what_is_too_much(photos: list[dict[str, str]]) -> None:
    with pytest.raises(Invalid):
        read_photos(photos)
