"""What the payload of a push costs by itself: JSON, base64, JSON, in a plain process.

`python -m tests.benchmarks.alone SECONDS <BODY` prints microseconds of CPU time for one body.
"""

import sys
import time
from binascii import a2b_base64

from pydantic import BaseModel, Field


class _Message(BaseModel):
    data: str
    id: str = Field(alias="messageId")


class _Wrapped(BaseModel):
    message: _Message
    subscription: str


class _Requirements(BaseModel):
    lines: list[str]


class _Payload(BaseModel):
    feature: str
    description: str = ""
    requirements: _Requirements


def validate(body: bytes) -> _Payload:
    """Read one wrapped push down to its requirements."""
    wrapped = _Wrapped.model_validate_json(body)
    return _Payload.model_validate_json(a2b_base64(wrapped.message.data))


def cost(body: bytes, seconds: float) -> float:
    """CPU time (us) of one body, the mean over so many seconds."""
    validate(body)
    number, started = 0, time.process_time()
    while (spent := time.process_time() - started) < seconds:
        validate(body)
        number += 1
    return spent / number * 1e6


if __name__ == "__main__":
    sys.stdout.write(f"{cost(sys.stdin.buffer.read(), float(sys.argv[1])):.1f}\n")
