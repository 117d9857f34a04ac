"""The service of Label Studio's ML backend protocol: health, setup, predict, versions, and events that it ignores."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from starlette.concurrency import run_in_threadpool

from workbench.label_studio.records import WantedPrediction
from workbench.server.guard import Guard, body_of, pass_over

Predict = Callable[[Sequence[Any]], Sequence[WantedPrediction | None]]
"""Predictions for tasks as the server sends them, in their order; None where there is none."""

MOST_BYTES = 64 * 1024 * 1024
_SMALL = 4 * 1024 * 1024  # a labelling configuration, or one annotation with its task
_MOST_WAITING = 32


def pre_annotation_app(predict: Predict, model_version: str, password: str | None) -> Guard:
    """The ASGI application of an ML backend.

    Nothing is fetched from where a task or the server points to, and the token that the server sends along with
    `/setup` is not looked at. It answers `/health` and `/setup` at once, whatever the model is at: the server waits for
    them 1 s and 3 s.
    """
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    free = threading.Semaphore(_MOST_WAITING)

    @app.get("/")
    @app.get("/health")
    @app.post("/health")
    async def health() -> dict[str, str]:
        return {"status": "UP", "model_class": "speech-workbench", "model_version": model_version}

    @app.post("/setup")
    async def setup(request: Request) -> dict[str, str]:
        await pass_over(request, _SMALL)
        return {"model_version": model_version}

    @app.get("/versions")
    async def versions() -> dict[str, list[str]]:
        return {"versions": [model_version]}

    @app.post("/predict")
    async def predictions(request: Request) -> dict[str, Any]:
        # A page of another site can send a form or plain text here unasked, but not JSON.
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise HTTPException(415, "send JSON")
        if not free.acquire(blocking=False):
            raise HTTPException(503, "too many requests are waiting; ask again later", {"Retry-After": "10"})
        try:
            found = await run_in_threadpool(predict, _tasks(await body_of(request, MOST_BYTES)))
        finally:
            free.release()
        return {"results": [_answer(one) for one in found]}

    @app.post("/webhook")
    @app.post("/train")
    async def ignored(request: Request) -> dict[str, str]:
        await pass_over(request, MOST_BYTES)
        return {"status": "ignored"}

    return Guard(app, password)


def _tasks(body: bytes) -> list[Any]:
    try:
        request = json.loads(body)
    except (ValueError, RecursionError):
        raise HTTPException(400, "the request is not JSON") from None
    tasks = request.get("tasks") if isinstance(request, dict) else None
    if not isinstance(tasks, list):
        raise HTTPException(400, "the request has no list of tasks")
    return tasks


def _answer(prediction: WantedPrediction | None) -> list[dict[str, Any]]:
    """What stands for a task in the reply: as many predictions as there are, so that none is stored where none is."""
    if prediction is None:
        return []
    answer: dict[str, Any] = {"model_version": prediction.model_version, "result": prediction.result}
    if prediction.score is not None:
        answer["score"] = prediction.score
    return [answer]
