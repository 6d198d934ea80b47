"""A request's body while it arrives: bounded alone, and together with those of other requests."""

from worker.outcome import Overloaded, Refused

MAX_BODY = 14 * 1024 * 1024  # bytes: a message of 10 MB in base64, its attributes and the wrapping
MAX_BODIES = 16 * MAX_BODY  # bytes: of the pushes that 8 handler threads run, and of as many more
FREE_BODY = 64 * 1024  # bytes of each body that do not count: large ones never keep small ones out


class Room:
    """The bytes that large bodies take, from the first one until the request is answered.

    It belongs to the thread that serves, like the connections that share it.
    """

    def __init__(self, size: int = MAX_BODIES) -> None:
        self.free = size


class Body:
    """Takes part after part of one body, then of the next."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._data = bytearray()  # a list would cost 50 bytes for each chunk, however small
        self._held = 0  # bytes of the room

    def add(self, part: bytes) -> None:
        """Take a part. Raises Refused or Overloaded."""
        size = len(self._data) + len(part)
        if size > FREE_BODY:
            self._hold(size)
        self._data += part

    def _hold(self, size: int) -> None:
        if size > MAX_BODY:
            raise too_large()
        more = size - FREE_BODY - self._held
        if more > self._room.free:
            raise Overloaded(f"the bodies that are handled already take {MAX_BODIES} bytes")
        self._room.free -= more
        self._held += more

    def take(self) -> tuple[bytes, int]:
        """All of it, and how many bytes of the room it holds: the caller gives those back."""
        data, held = bytes(self._data), self._held
        self._data.clear()
        self._held = 0
        return data, held

    def drop(self) -> None:
        """Forget it."""
        self._room.free += self._held
        self._data.clear()
        self._held = 0


def too_large() -> Refused:
    """What becomes of a push whose body nobody should read."""
    return Refused(f"the body is over {MAX_BODY} bytes, more than any Pub/Sub message", 413)
