"""Lists that come page by page, in the order of names."""

import sqlite3
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

from worker.local.errors import ApiError, Code

_MOST = 1000  # rows of a page, and how many there are without a size


def page(
    connection: sqlite3.Connection, select: str, values: Mapping[str, Any], request: Any
) -> tuple[list[sqlite3.Row], str]:
    """The rows of a page of `select`, which has a WHERE and a column `name`, and the next token.

    The token is "" on the last page. Raises ApiError for a size or a token that is none.
    """
    if request.page_size < 0:
        raise ApiError(
            Code.INVALID_ARGUMENT,
            f"Invalid page_size given (page_size={request.page_size}): want 0 or more.",
        )
    size = min(request.page_size or _MOST, _MOST)
    rows = connection.execute(
        f"{select} AND name > :after ORDER BY name LIMIT :most",
        {**values, "after": _after(request.page_token), "most": size + 1},
    ).fetchall()
    if len(rows) <= size:
        return rows, ""
    last: str = rows[size - 1]["name"]
    return rows[:size], urlsafe_b64encode(last.encode()).decode()


def prefix(project: str, collection: str) -> dict[str, str]:
    """Bounds for the names of a project's resources: between :first and :last."""
    return {"first": f"{project}/{collection}/", "last": f"{project}/{collection}0"}


def _after(token: str) -> str:
    try:
        return urlsafe_b64decode(token).decode()
    except ValueError:
        raise ApiError(Code.INVALID_ARGUMENT, "The page_token given is not valid.") from None
