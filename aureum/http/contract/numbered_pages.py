"""Numbered pages, as the admin's side of the Leads API has them: ``{items, total, page, page_size, total_pages}``."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Generic, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from aureum.http.contract.answers import answer, list_etag, not_modified
from aureum.http.contract.endpoint import Context
from aureum.http.wire.numbers import AS_WHOLE
from aureum.http.wire.shapes import Shape

LARGEST_PAGE = 100
LAST_PAGE = 1_000_000

Item = TypeVar("Item")


class Numbered(BaseModel):
    """What every list in numbered pages takes besides its own filters."""

    model_config = ConfigDict(frozen=True)

    page: Annotated[int, Field(ge=1, le=LAST_PAGE, description="The number of the page, starting at 1."), AS_WHOLE] = 1
    page_size: Annotated[int, Field(ge=1, le=LARGEST_PAGE, description="The number of items on a page."), AS_WHOLE] = 20

    @property
    def skipped(self) -> int:
        """How many items stand on the pages before."""
        return (self.page - 1) * self.page_size


class NumberedPage(Shape, Generic[Item]):
    """One page of a list. A page beyond the last has no items."""

    items: list[Item]
    total: Annotated[int, Field(ge=0, description="The number of items on all pages.")]
    page: Annotated[int, Field(ge=1)]
    page_size: Annotated[int, Field(ge=1, le=LARGEST_PAGE)]
    total_pages: Annotated[int, Field(ge=0)]


class FoundPage(NamedTuple):
    """What a statement found: the page's documents joined by commas, how many there are in all, and the ``Link``
    header, if there is one."""

    docs: str | None
    total: int
    links: str = ""


async def paged(
    context: Context, numbered: Numbered, state: tuple[object, ...], read: Callable[[], Awaitable[FoundPage]]
) -> Response:
    """A page with its ETag, or 304 without reading it.

    *state* is what the list is made of, and with the query makes the ETag: its path, tenant, position, read-model
    version, and the caller's view. *read* takes ``numbered.page_size`` items after the first ``numbered.skipped``.
    """
    etag = list_etag(*state, sorted(context.request.query_params.multi_items()))
    unchanged = not_modified(context.request, etag)
    if unchanged is not None:
        return unchanged
    found = await read()
    headers = {"ETag": etag} | ({"Link": found.links} if found.links else {})
    return answer(page_body(numbered, found), headers=headers)


def page_body(numbered: Numbered, found: FoundPage) -> bytes:
    """The page as it goes over the wire."""
    pages = -(-found.total // numbered.page_size)
    return (
        f'{{"items":[{found.docs or ""}],"total":{found.total},"page":{numbered.page},'
        f'"page_size":{numbered.page_size},"total_pages":{pages}}}'
    ).encode()
