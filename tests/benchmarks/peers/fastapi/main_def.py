"""A push endpoint with FastAPI, plain `def`: FastAPI runs it in its thread pool."""
# mypy: ignore-errors

import time

from fastapi import FastAPI
from models import Push, log, read

app = FastAPI()


@app.post("/", status_code=204)
def receive(push: Push) -> None:
    """Take one push."""
    payload = read(push)
    if payload.feature == "sleep_20ms":
        time.sleep(0.02)
    log(push, payload)
