"""How much memory an instance may need: messages of 10 MB, the largest, wherever it takes one."""

# Measured: docs/performance.md, and 8 messages of 10 MB at the same time, which took 277 MiB.
PROCESS_MIB = 60  # a process after many pushes, with PUSH_AUTH=oidc
HANDLED_MIB = 35  # a push of 10 MB while it is handled: its body, its data, its payload
WAITING_MIB = 14  # one that waits for a thread: its body
BODIES = 16  # that a process has room for; what comes beyond is answered 429: worker/body.py


def needed_mib(workers: int, places: int, concurrency: int) -> int:
    """MiB for an instance of so many processes, threads in all, and pushes at the same time."""
    room = BODIES * workers
    handled = min(concurrency, places, room)
    waiting = min(concurrency - handled, places, room - handled)
    return workers * PROCESS_MIB + handled * HANDLED_MIB + waiting * WAITING_MIB
