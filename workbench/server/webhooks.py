"""The service that takes webhooks as hints: that something happened, and nothing of what it says."""

from __future__ import annotations

import hmac
from collections.abc import Callable

from fastapi import FastAPI, HTTPException, Request, Response

from workbench.label_studio.live import SECRET_HEADER, hint_path


def webhooks_app(mark: str, secret: str, hint: Callable[[], None]) -> FastAPI:
    """The ASGI application that calls `hint` for every request with the secret.

    What the request says is not read: whoever learns that something changed looks at the server itself.
    """
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)

    @app.post(hint_path(mark))
    async def hinted(request: Request) -> Response:
        given = request.headers.get(SECRET_HEADER, "").encode("latin-1", "replace")
        if not hmac.compare_digest(given, secret.encode()):
            raise HTTPException(403, "the secret is wrong")
        hint()
        return Response(status_code=204)

    return app
