"""How the laptop cloud refuses a call: with Google's codes, over REST and gRPC alike.

Source: google.rpc.Code and its mapping to HTTP.
"""

from enum import Enum
from typing import Any


class Code(Enum):
    """A canonical error code: the status of HTTP, and the number that gRPC has for it."""

    INVALID_ARGUMENT = (400, 3)
    FAILED_PRECONDITION = (400, 9)
    PERMISSION_DENIED = (403, 7)
    NOT_FOUND = (404, 5)
    ABORTED = (409, 10)
    ALREADY_EXISTS = (409, 6)
    RESOURCE_EXHAUSTED = (429, 8)
    INTERNAL = (500, 13)
    UNIMPLEMENTED = (501, 12)
    UNAVAILABLE = (503, 14)

    @property
    def status(self) -> int:
        """The status of HTTP."""
        return self.value[0]

    @property
    def number(self) -> int:
        """The number of gRPC."""
        return self.value[1]


class PortUnusable(Exception):
    """A server cannot have its port. One line: which, why, what to do."""

    def __init__(self, port: int, reason: str) -> None:
        super().__init__(
            f"cannot listen on 127.0.0.1:{port}: {reason} (give another port; 0 takes a free one)"
        )


class ApiError(Exception):
    """A call that is refused. The text says what is wrong, where, and what to do."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code

    def body(self) -> dict[str, Any]:
        """What a REST client gets."""
        error = {"code": self.code.status, "message": str(self), "status": self.code.name}
        return {"error": error}
