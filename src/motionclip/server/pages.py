"""Pages for people: ``/`` says what this server is and tries a sentence, ``/docs`` tries every request.

Nothing in them comes from elsewhere: the scripts of ``/docs`` (Swagger UI) are files of the package fastapi-offline.
"""

from __future__ import annotations

import re
from html import escape
from importlib.resources import files
from string import Template
from typing import Literal

from fastapi import APIRouter, Request
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.responses import FileResponse, HTMLResponse

router = APIRouter(include_in_schema=False)

_TOKEN_FIELD = '<input id="token" type="password" placeholder="token" autocomplete="off" required aria-label="Token">'
_AUTHORIZATION = "-H 'Authorization: Bearer TOKEN' "
#: No document is sent to Swagger's validator on the internet, and fields can be filled in at once.
_SWAGGER = {"validatorUrl": None, "tryItOutEnabled": True, "defaultModelsExpandDepth": -1}


@router.get("/")
async def front_page(request: Request) -> HTMLResponse:
    """What this server is, a sentence to try, and what else it makes and tells."""
    document = request.app.openapi()
    needs_token = "security" in document
    template = Template(files(__package__).joinpath("front_page.html").read_text("utf-8"))
    content = template.substitute(
        version=escape(request.app.version),
        address=escape(str(request.base_url)),
        token_field=_TOKEN_FIELD if needs_token else "",
        authorization=_AUTHORIZATION if needs_token else "",
        routes="\n".join(
            _row(method, path, operation["description"])
            for path, operations in document["paths"].items()
            for method, operation in operations.items()
            if method == "post"
        ),
    )
    return HTMLResponse(content)


def _row(method: str, path: str, description: str) -> str:
    first = re.sub("`(.+?)`", r"<code>\1</code>", escape(description.partition("\n\n")[0]))
    return f"<tr><td>{method.upper()} {escape(path)}</td><td>{first}</td></tr>"


@router.get("/docs")
async def docs() -> HTMLResponse:
    """Swagger UI: every request, to be tried."""
    return get_swagger_ui_html(
        openapi_url="openapi.json",
        title="motionclip: requests",
        swagger_js_url="docs/swagger-ui-bundle.js",
        swagger_css_url="docs/swagger-ui.css",
        swagger_favicon_url="data:,",
        swagger_ui_parameters=_SWAGGER,
    )


@router.get("/docs/{name}")
async def docs_file(name: Literal["swagger-ui-bundle.js", "swagger-ui.css"]) -> FileResponse:
    """A file of that page."""
    return FileResponse(str(files("fastapi_offline").joinpath("static", name)))
