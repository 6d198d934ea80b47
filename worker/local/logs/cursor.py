"""Where a page of entries ended: the next begins behind it, whatever was written since."""

import base64
import json
from typing import NamedTuple


class Cursor(NamedTuple):
    """The place of an entry in the order of all: time, then insertId, then log."""

    time: int  # nanoseconds
    insert_id: str
    log: int

    def __str__(self) -> str:
        return base64.urlsafe_b64encode(json.dumps(self).encode()).decode()

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """Raises ValueError for what no page ended with."""
        try:
            match json.loads(base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)):
                case [int(time), str(insert_id), int(log)]:
                    return cls(time, insert_id, log)
        except (ValueError, RecursionError):
            pass
        raise ValueError("the page token is none that this service gave")
