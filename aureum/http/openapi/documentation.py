"""The OpenAPI document, and a page to read it and to try it out. All of it is served by us; nothing is loaded from
elsewhere. Swagger UI stands in ``swagger_ui/`` as its makers publish it; ``documentation.js`` starts it, and mends with
``documentation.css`` what readers with little sight or none miss in it.
"""

from functools import cache, partial
from importlib.resources import files

from starlette.responses import Response
from starlette_compress import remove_compress_type

from aureum.http.contract.endpoint import ANYONE, Context, Endpoint
from aureum.http.contract.packed import FOREVER, PackedAnswer

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Swagger UI sets styles of single elements; scripts come from files only."""

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Aureum API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/assets/swagger-ui.css?{digests[swagger-ui.css]}">
<link rel="stylesheet" href="/docs/assets/documentation.css?{digests[documentation.css]}">
</head>
<body>
<div id="swagger-ui"></div>
<noscript>This page needs JavaScript; <a href="/openapi.json">the document itself</a> does not.</noscript>
<script src="/docs/assets/swagger-ui-bundle.js?{digests[swagger-ui-bundle.js]}"></script>
<script src="/docs/assets/documentation.js?{digests[documentation.js]}"></script>
</body>
</html>
"""

ASSETS = {
    "swagger-ui.css": "text/css",
    "documentation.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "documentation.js": "text/javascript",
}

# They are public and large, so they are compressed once, here.
for media in ASSETS.values():
    remove_compress_type(media)


@cache
def asset(name: str) -> PackedAnswer:
    """A file of the page: ours, or Swagger UI's."""
    ours = files("aureum.http.openapi") / name
    file = ours if ours.is_file() else files("aureum.http.openapi") / "swagger_ui" / name
    return PackedAnswer(file.read_bytes(), ASSETS[name])


async def get_openapi(context: Context) -> Response:
    """Returns this OpenAPI 3.1 document."""
    document: PackedAnswer = context.request.app.state.openapi
    return await document.answer(context.request)


async def get_docs(context: Context) -> Response:
    """Returns the interactive documentation."""
    page = PAGE.format(digests={name: asset(name).digest for name in ASSETS})
    return Response(page, headers={"Content-Security-Policy": POLICY}, media_type="text/html")


async def get_asset(context: Context, *, name: str) -> Response:
    """Returns a file that the page loads."""
    return await asset(name).answer(context.request, **{"Cache-Control": FOREVER})


ENDPOINTS = (
    Endpoint("GET", "/openapi.json", get_openapi, "Get the OpenAPI document", access=ANYONE, answers=dict),
    Endpoint("GET", "/docs", get_docs, "Read and try the API", access=ANYONE, media="text/html", documented=False),
    *(
        Endpoint(
            "GET",
            f"/docs/assets/{name}",
            partial(get_asset, name=name),
            "Get a file of the page",
            access=ANYONE,
            media=media,
            documented=False,
        )
        for name, media in ASSETS.items()
    ),
)
