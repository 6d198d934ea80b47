"""A push endpoint with FastAPI, `async def`; what blocks goes to the thread pool by hand."""
# mypy: ignore-errors

import time

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from models import Push, log, read

app = FastAPI()


@app.post("/", status_code=204)
async def receive(push: Push) -> None:
    """Take one push."""
    payload = read(push)
    if payload.feature == "sleep_20ms":
        await run_in_threadpool(time.sleep, 0.02)
    log(push, payload)
