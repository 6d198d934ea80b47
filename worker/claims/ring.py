"""The keys that were done last, in memory that never grows: 24 bytes each, and 4 a slot to find it.

A key is kept as 128 bits of its digest. Two keys of one digest would lose a message, so not fewer:
that any two of 100,000 share theirs has a chance of less than one in 10^28.
"""

from array import array
from hashlib import blake2b
from struct import Struct

_SIZE = 16  # bytes of a digest
_first_word = Struct("<I").unpack_from


def digest_of(key: str) -> bytes:
    """What stands for the key; any text has one, lone surrogates included."""
    return blake2b(key.encode("utf-8", "surrogatepass"), digest_size=_SIZE).digest()


class Ring:
    """The last `capacity` (1 or more) digests, each until its expiry; a new one ousts the oldest.

    What is added later must not expire sooner: then what has expired is ousted before all else, and
    nothing has to look for it. All memory is taken, and touched, at the start. Not thread-safe.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._next = 0  # the position that the next digest takes: the oldest's, once all are taken
        self._digests = bytearray(_SIZE) * capacity
        self._expiries = array("d", [0.0]) * capacity
        # A hash table with open addressing: position + 1, or 0 in a free slot; half full at most.
        self._slots = array("I", [0]) * (1 << (2 * capacity - 1).bit_length())
        self._mask = len(self._slots) - 1

    def holds(self, digest: bytes, now: float) -> bool:
        """Whether the digest is one of the last and `now` is before its expiry."""
        taken = self._slots[self._slot_of(digest)]
        return taken > 0 and now < self._expiries[taken - 1]

    def add(self, digest: bytes, expiry: float) -> None:
        """Remember a digest that is not held."""
        position = self._next
        self._next = (position + 1) % self._capacity
        self._oust(position)
        start = position * _SIZE
        self._digests[start : start + _SIZE] = digest
        self._expiries[position] = expiry
        self._slots[self._slot_of(digest)] = position + 1

    def _slot_of(self, digest: bytes) -> int:
        """The slot of the digest, or the free one where it would be."""
        slot = self._home(digest, 0)
        while taken := self._slots[slot]:
            end = taken * _SIZE
            if self._digests[end - _SIZE : end] == digest:
                break
            slot = (slot + 1) & self._mask
        return slot

    def _home(self, digests: bytes | bytearray, start: int) -> int:
        """The slot where the search for the digest at `start` begins."""
        word: int = _first_word(digests, start)[0]
        return word & self._mask

    def _oust(self, position: int) -> None:
        """Free the slot of the position; it has none if its digest expired and was added again."""
        slot = self._home(self._digests, position * _SIZE)
        while taken := self._slots[slot]:
            if taken == position + 1:
                self._free(slot)
                return
            slot = (slot + 1) & self._mask

    def _free(self, slot: int) -> None:
        """Empty the slot. What a collision had pushed past it moves back, so that it is found."""
        other = (slot + 1) & self._mask
        while taken := self._slots[other]:
            home = self._home(self._digests, (taken - 1) * _SIZE)
            if (other - home) & self._mask >= (other - slot) & self._mask:
                self._slots[slot] = taken
                slot = other
            other = (other + 1) & self._mask
        self._slots[slot] = 0
