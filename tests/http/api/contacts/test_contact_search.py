"""``GET /api/contacts``: filters, and the search by parts of words with a typo forgiven."""

import asyncio
import string
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aureum.commands.contacts import AddContact, add_contact
from aureum.domain.ids import to_wire
from aureum.projections import contact_list, search
from aureum.projections.document_list import ABOVE_ALL
from aureum.store.cipher import MasterKey, TenantKeys
from aureum.store.event_store import EventStore
from aureum.store.rebuild.rebuild import rebuild
from tests.conftest import MASTER_KEY
from tests.examples import examples
from tests.http.api.contacts.test_contacts import contact, patched
from tests.http.links import next_page
from tests.http.operator import ORIGIN, Operator, Tenant
from tests.http.serving import Server


def listed(server: Server, tenant: Tenant, **query: Any) -> list[str]:
    """The ids of a list."""
    return server.by_key(tenant, "GET", f"/api/contacts?{urlencode(query)}").ids


@pytest.fixture(scope="module")
def people(server: Server, operator: Operator) -> tuple[Tenant, dict[str, str]]:
    """A brokerage with some contacts, their ids by first name; no test changes them."""
    tenant = operator.brokerage()
    sent: dict[str, dict[str, Any]] = {
        "John": {"lastName": "Smith", "email": "john.smith@example.com"},
        "Tom": {"lastName": "O'Neil", "email": "to@mail.example.com"},
        "Zoë": {"lastName": "Müller-Groß", "email": "zm@letters.example.com"},
        "İbrahim": {"lastName": "Işık", "email": None},
        "Anne-Marie": {"lastName": "Li", "email": "100%_sure@mail.example.com"},
    }
    return tenant, {first: contact(server, tenant, firstName=first, **rest)["id"] for first, rest in sent.items()}


@pytest.mark.parametrize(
    ("sought", "found"),
    [
        ("john", "John"),
        ("JOHN SMITH", "John"),
        ("smith john", "John"),
        ("ohn mit", "John"),
        ("jhon smiht", "John"),
        ("jo", "John"),
        ("john zoe", ""),
        ("john.smith@example.com", "John"),
        ("john.smtih@example.com", "John"),
        ("john.smith@exmaple.com", "John"),
        # What stands before the @ is too short for a typo; behind it there is one.
        ("to@mial.example.com", "Tom"),
        ("tx@mial.example.com", ""),
        ("zm@leters.example.com", "Zoë"),
        ("smith@ex", "John"),
        ("exmaple", "John Tom Zoë Anne-Marie"),
        ("@", "John Tom Zoë Anne-Marie"),
        ("o'neil", "Tom"),
        ("oneil", "Tom"),
        ("O'NELI", "Tom"),
        ("neal", "Tom"),
        # Everybody's address ends like this: it is no typo of "Tom" or of "Gail".
        ("tom", "Tom"),
        ("cam", ""),
        ("mali", ""),
        ("zoe", "Zoë"),
        ("ZOË", "Zoë"),
        ("muller", "Zoë"),
        ("gross", "Zoë"),
        ("GROẞ", "Zoë"),
        ("muller-gros", "Zoë"),
        ("ibrahim", "İbrahim"),
        ("İBRAHİM", "İbrahim"),
        ("isik", "İbrahim"),
        ("anne-marie", "Anne-Marie"),
        ("anemarie li", "Anne-Marie"),
        ("100%_s", "Anne-Marie"),
        ("%", "Anne-Marie"),
        ("_", "Anne-Marie"),
        ("n_i", ""),
        ("\\", ""),
        ("'", "Tom"),
        ("''", ""),
        ("& | ! ( ) :* <->", ""),
        ("qq", ""),
        ("!!!!", ""),
        ("x" * 200, ""),
        ("a b c d e f g h i j k l", ""),
        ("j o h n s m i t", "John"),
        ("", "John Tom Zoë İbrahim Anne-Marie"),
        ("  ", "John Tom Zoë İbrahim Anne-Marie"),
        ("\u3000\u0301", "John Tom Zoë İbrahim Anne-Marie"),
    ],
)
def test_a_search(server: Server, people: tuple[Tenant, dict[str, str]], sought: str, found: str) -> None:
    tenant, made = people
    expected = [made[first] for first in reversed(found.split())]
    assert listed(server, tenant, search=sought) == expected
    assert listed(server, tenant, search=sought, limit=50) == expected


def test_filters_go_together(server: Server, tenant: Tenant) -> None:
    both = contact(server, tenant, tags=["vip", "Beverly Hills"], type="SELLER")
    one = contact(server, tenant, tags=["vip"], lastName="Jones")
    contact(server, tenant, type="SELLER")

    assert listed(server, tenant, tag="vip") == [one["id"], both["id"]]
    assert listed(server, tenant, tag="vip", type="SELLER") == [both["id"]]
    assert listed(server, tenant, tag=" Beverly Hills ") == [both["id"]]
    assert listed(server, tenant, tag="vip", search="smith") == [both["id"]]
    assert listed(server, tenant, type="BUYER") == listed(server, tenant, search="jones", type="BUYER") == [one["id"]]
    for nothing in ({"tag": "Vip"}, {"tag": "vi"}, {"tag": "vip'"}, {"search": "jones", "type": "SELLER"}):
        assert listed(server, tenant, **nothing) == []


def test_a_change_is_found_at_once_and_what_was_is_not(server: Server, proxied: Server, tenant: Tenant) -> None:
    made = contact(server, tenant, tags=["vip"])
    patched(server, tenant, made, lastName="Jones", tags=["cold"], type="OTHER")

    assert listed(proxied, tenant, search="jones", tag="cold", type="OTHER") == [made["id"]]
    assert listed(proxied, tenant, search="smith") == listed(proxied, tenant, tag="vip") == []
    for query in ({"search": "jones"}, {"tag": "cold"}, {}):
        since = server.by_key(tenant, "GET", f"/api/contacts/{made['id']}").json["updatedAt"]
        assert listed(server, tenant, updatedSince=since, **query) == [made["id"]]
        assert listed(server, tenant, updatedSince="9999-01-01", **query) == []


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("search=" + "x" * 201, "search must have at most 200 characters."),
        ("search=%00", "search must not hold NUL characters."),
        ("tag=" + "x" * 101, "tag must have at most 100 characters."),
        ("tag=%00", "tag must not hold NUL characters."),
        ("type=buyer", 'type must be one of: BUYER, SELLER, INVESTOR, VENDOR, OTHER; got "buyer".'),
    ],
)
def test_a_bad_filter(server: Server, operator: Operator, query: str, sentence: str) -> None:
    answer = server.by_key(operator.shared, "GET", f"/api/contacts?{query}")
    assert (answer.status, answer.error) == (400, sentence)


def test_parts_of_a_word_are_not_the_word(server: Server, tenant: Tenant) -> None:
    """The index is asked for "pal" and "aly"; more words than it is asked for are looked for all the same."""
    made = contact(server, tenant, lastName="Palxaly")
    assert listed(server, tenant, search="paly") == []
    assert listed(server, tenant, search="palx xaly") == [made["id"]]
    words = "john joh ohn palxaly palxal palxa"
    assert listed(server, tenant, search=words) == listed(server, tenant, search=f"{words} pal") == [made["id"]]
    assert listed(server, tenant, search=f"{words} xyz") == []


def test_pages_of_a_search(server: Server, tenant: Tenant) -> None:
    made = [contact(server, tenant, lastName=last)["id"] for last in ("Smith", "Smiths", "Jones", "Smith", "Smithson")]
    path, found = "/api/contacts?search=smith&limit=2", []
    for _ in range(9):
        answer = server.by_key(tenant, "GET", path)
        found.append(answer.ids)
        following = next_page(answer)
        if following is None:
            break
        path = following
    assert found == [[made[4], made[3]], [made[1], made[0]]]


def test_frequent_rare_and_in_between_are_found_alike(operator: Operator, server: Server, tenant: Tenant) -> None:
    """With pages of 2, the newest 24 are looked at first: none of them is called Tanaka."""
    every = {"Olson": 1, "Tanaka": 3, "Brown": 9, "Quimby": 200}

    async def added(store: EventStore) -> list[tuple[str, str]]:
        made = []
        for number in range(400):
            last = next(name for name, nth in reversed(every.items()) if number % nth == 0)
            last = last if number < 370 else "Olson"
            command = AddContact(tenant_id=tenant.id, country="US", first_name="Al", last_name=last)
            made.append((last, to_wire((await add_contact(store, command, ORIGIN))[0].id)))
        return made

    made = operator.run(added)
    for last in every:
        expected = [identifier for name, identifier in reversed(made) if name == last]
        assert listed(server, tenant, search=last) == expected
        assert [listed(server, tenant, search=last, limit=2)] == [expected[:2]]


def test_a_rebuilt_list_is_searched_alike(server: Server, served_url: str, tenant: Tenant) -> None:
    tags = ["vip", "'it''s \\ a' tag", "\\'"]
    made = [contact(server, tenant, lastName=last, tags=tags)["id"] for last in ("Smith", "Jones")]
    keys = TenantKeys(MasterKey(MASTER_KEY))

    assert asyncio.run(rebuild(served_url, keys, contact_list.LIST.table, tenant.id)).rows == 2

    assert listed(server, tenant, search="smiht") == made[:1]
    assert [listed(server, tenant, tag=tag) for tag in tags] == [made[::-1]] * 3
    patched(server, tenant, {"id": made[0]}, lastName="Brown")
    assert (listed(server, tenant, search="brown"), listed(server, tenant, search="smith")) == (made[:1], [])


names = st.text(st.sampled_from(string.ascii_letters + "éüßÅøıİ'- "), min_size=1, max_size=12).filter(
    lambda name: name.strip("'- ") != ""
)
letters = st.sampled_from(string.ascii_lowercase)


def one_typo(draw: Callable[..., Any], word: str) -> str:
    """*word* with one letter too many, too few, another one, or two swapped."""
    place = draw(st.integers(0, len(word) - 1))
    letter = draw(letters)
    edits = [
        word[:place] + letter + word[place:],
        word[:place] + word[place + 1 :],
        word[:place] + letter + word[place + 1 :],
        word[:place] + word[place + 1 : place + 2] + word[place] + word[place + 2 :],
    ]
    return str(draw(st.sampled_from(edits)))


@given(
    data=st.data(), first=names, last=names, mailbox=st.none() | st.text(string.ascii_lowercase, min_size=1, max_size=9)
)
@settings(max_examples=examples(60), deadline=None)
def test_any_part_and_any_typo_find_the_contact_and_no_other_brokerages(
    operator: Operator, data: st.DataObject, first: str, last: str, mailbox: str | None
) -> None:
    mine, theirs = operator.shared, other(operator)
    email = mailbox and f"{mailbox}@mail.example.com"

    async def added(store: EventStore) -> list[str]:
        about: dict[str, Any] = {"country": "US", "first_name": first, "last_name": last, "email": email}
        made = [await add_contact(store, AddContact(tenant_id=one.id, **about), ORIGIN) for one in (mine, theirs)]
        return [to_wire(one.id) for one, _ in made]

    own, foreign = operator.run(added)
    text = " ".join(filter(None, (first, last, email)))
    begin = data.draw(st.integers(0, len(text) - 1))
    part = text[begin : data.draw(st.integers(begin + 1, len(text)))]
    found = [found_by(operator, mine, part)] if search.words_in(part) else []
    local = search.fold(text).split("@")[0]
    for word in search.WORD.findall(local):
        if len(word) >= 3:
            found.append(found_by(operator, mine, one_typo(data.draw, word), forgiving=True))
    for docs in found:
        assert own in docs and foreign not in docs


def other(operator: Operator) -> Tenant:
    """A brokerage that has the same contacts."""
    if not OTHERS:
        OTHERS.append(operator.brokerage())
    return OTHERS[0]


OTHERS: list[Tenant] = []


def found_by(operator: Operator, tenant: Tenant, sought: str, *, forgiving: bool = False) -> str:
    """The documents that the statement of a search finds, on one page."""
    words = search.asked(sought)
    assert words
    asked = {"tenant": tenant.id, "words": words.forgiving if forgiving else words.exact}
    page = {"before": ABOVE_ALL, "limit": 1_000, **dict.fromkeys(("type", "tag", "updated_since"))}
    statement = contact_list.CONTACTS.search
    ((docs, _, _),) = operator.run(lambda store: store.database.rows(statement, asked | page))
    return docs or ""


def test_an_address_is_found_by_any_spelling(server: Server, tenant: Tenant) -> None:
    idn = contact(server, tenant, firstName="Nora", email="nora@bücher.example")["id"]
    a_labels = contact(server, tenant, firstName="Ana", email="ana@xn--bcher-kva.example")["id"]
    for sought in ("nora@xn--bcher-kva.example", "nora@bücher.example", "ｎｏｒａ@bücher.example", "nora@bucher"):
        assert listed(server, tenant, search=sought) == [idn], sought
    for sought in ("ana@xn--bcher-kva.example", "ana@bücher.example", "ANA@BÜCHER.EXAMPLE"):
        assert listed(server, tenant, search=sought) == [a_labels], sought
    assert set(listed(server, tenant, search="bücher")) == {idn, a_labels}
