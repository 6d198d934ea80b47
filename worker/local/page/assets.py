"""Styles, scripts and icons: read once, so that a browser which leaves keeps no file open."""

import mimetypes
from functools import cache
from pathlib import Path

import flask

_FOLDER = Path(__file__).parent / "static"


def serve(filename: str) -> flask.Response:
    """The file of that name; 404 for any other."""
    data = _assets().get(filename)
    if data is None:
        flask.abort(404)
    kind, _ = mimetypes.guess_type(filename)
    return flask.Response(data, content_type=kind or "application/octet-stream")


@cache
def _assets() -> dict[str, bytes]:
    files = (path for path in _FOLDER.rglob("*") if path.is_file())
    return {path.relative_to(_FOLDER).as_posix(): path.read_bytes() for path in files}
