"""The domains that a brokerage's own pages may stand at."""

from collections.abc import Collection, Iterable

from aureum.domain.errors import Invalid
from aureum.http.access.hosts import normalise_host
from aureum.http.wire.errors import BadHost


def brokerage_domains(given: Iterable[str], base: str | None, known: Collection[str] = ()) -> tuple[str, ...]:
    """The domains *given*, normalised, each once and in their order; those that are *known* are not judged again.

    *base* is ``AUREUM_BASE_DOMAIN``: there and below it brokerages are found by their slug. Raises Invalid.
    """
    return tuple(dict.fromkeys(text if text in known else checked(text, base) for text in given))


def checked(text: str, base: str | None) -> str:
    """A name with a dot in it that is no address. Raises Invalid."""
    try:
        name = normalise_host(text)
    except BadHost:
        name = ""
    if "." not in name or name.startswith("[") or name.rpartition(".")[2].isdigit():
        raise Invalid("domains", f"domain must be a name such as www.example.com, not {text!r}.")
    if base is not None and (name == base or name.endswith("." + base)):
        raise Invalid("domains", f"domain must not be {base} or one of its subdomains, which are reserved for slugs.")
    return name
