"""Memory of large messages goes back to the system as soon as it is freed.

glibc keeps it: once a large block was freed, it takes larger ones from its heaps too, which never
shrink behind a small block that lives. A process that once had 8 messages of 10 MB kept 300 MB.
Source: mallopt(3), M_MMAP_THRESHOLD.
"""

import ctypes
from contextlib import suppress

LARGE = 64 * 1024  # bytes
_M_MMAP_THRESHOLD = -3


def return_large_blocks() -> None:
    """Have each block of LARGE bytes or more mapped alone. Elsewhere than with glibc: nothing."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, LARGE)
