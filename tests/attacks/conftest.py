"""Servers to attack, each shared by the tests of one module."""

from collections.abc import Iterator

import pytest

from tests.support.server import ServerProcess, with_probe_handlers

_ECHO = '''
"""A careless handler: all that the message says goes to the log and to stdout, in every way."""

import logging

from worker import Context, feature


@feature("echo")
def echo(context: Context) -> None:
    """Log it all."""
    context.log.info("echo.logged", context.description, **context.message.attributes)
    context.log.bind(**context.message.attributes).info("echo.bound")
    logging.getLogger("careless").warning(context.description)
    print(context.description)
    if context.message.attributes.get("crash"):
        raise RuntimeError(context.description)
'''


@pytest.fixture(scope="module")
def trusting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server that anybody may push to, with careless handlers."""
    folder = with_probe_handlers(tmp_path_factory.mktemp("trusting"))
    (folder / "handlers/echo.py").write_text(_ECHO)
    with ServerProcess(folder) as server:
        yield server
    assert server.stderr() == ""
