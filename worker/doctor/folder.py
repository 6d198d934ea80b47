"""The folder that is examined: its files as text, and what the machine says about them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


class Unreadable(Exception):
    """A file is there and cannot be understood. One line, without the file's content."""

    def __init__(self, why: str, line: int = 0) -> None:
        super().__init__(why)
        self.line = line  # 0: the file as a whole


@dataclass(frozen=True)
class Folder:
    """A checkout, or the folder of the program in an image."""

    path: Path
    environment: Mapping[str, str] = field(default_factory=dict)  # for the programs it starts

    def text(self, name: str) -> str | None:
        """The text of a file, None when it is not there. Raises Unreadable."""
        try:
            return (self.path / name).read_bytes().decode()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise Unreadable(f"cannot be read: {type(error).__name__}") from None
        except UnicodeDecodeError:
            raise Unreadable("is not UTF-8 text") from None


def place(name: str, line: int) -> str:
    """`file:line`, as editors and terminals take it."""
    return f"{name}:{line}" if line else name
