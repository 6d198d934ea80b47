"""The SQLite files of the laptop cloud: transactions, readers beside the writer, what survives."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.support.inprocess import in_thread
from tests.support.server import ROOT
from worker.local.database import Database, StateUnusable

SCHEMA = "CREATE TABLE things (name TEXT PRIMARY KEY) STRICT"

KILLED = """
import os, signal, sys
from pathlib import Path
from worker.local.database import Database
database = Database(Path("x.sqlite3"), sys.argv[1])
with database.write() as connection:
    connection.execute("INSERT INTO things VALUES ('kept')")
with database.write() as connection:
    connection.execute("INSERT INTO things VALUES ('lost')")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(tmp_path / "made" / "x.sqlite3", SCHEMA)
    yield opened
    opened.close()


def names(database: Database) -> list[str]:
    with database.read() as connection:
        return [row["name"] for row in connection.execute("SELECT name FROM things ORDER BY name")]


def test_what_is_written_is_read(database: Database) -> None:
    with database.write() as connection:
        connection.execute("INSERT INTO things VALUES ('a')")
    assert names(database) == ["a"]


def test_a_block_that_raises_writes_nothing(database: Database) -> None:
    with pytest.raises(sqlite3.IntegrityError), database.write() as connection:
        connection.executemany("INSERT INTO things VALUES (?)", [("a",), ("a",)])
    assert names(database) == []
    with database.write() as connection:
        connection.execute("INSERT INTO things VALUES ('b')")
    assert names(database) == ["b"]


def test_a_reader_sees_one_state_while_somebody_writes(database: Database) -> None:
    with database.read() as reader:
        assert reader.execute("SELECT count(*) FROM things").fetchone()[0] == 0
        with database.write() as connection:
            connection.execute("INSERT INTO things VALUES ('a')")
        assert reader.execute("SELECT count(*) FROM things").fetchone()[0] == 0
    assert names(database) == ["a"]


def test_a_reader_cannot_write(database: Database) -> None:
    with database.read() as reader, pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader.execute("INSERT INTO things VALUES ('a')")


def test_writers_wait_for_each_other(database: Database) -> None:
    def write(start: int) -> None:
        for number in range(start, start + 50):
            with database.write() as connection:
                connection.execute("INSERT INTO things VALUES (?)", (f"{number:03}",))

    threads = [in_thread(partial(write, start)) for start in (0, 50, 100)]
    for thread in threads:
        thread.join()
    assert names(database) == [f"{number:03}" for number in range(150)]


def test_it_is_there_when_it_is_opened_again(tmp_path: Path) -> None:
    first = Database(tmp_path / "x.sqlite3", SCHEMA)
    with first.write() as connection:
        connection.execute("INSERT INTO things VALUES ('a')")
    first.close()
    second = Database(tmp_path / "x.sqlite3", SCHEMA)
    assert names(second) == ["a"]
    second.close()


def test_what_was_committed_survives_a_kill(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED, SCHEMA],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert done.returncode == -9
    database = Database(tmp_path / "x.sqlite3", SCHEMA)
    assert names(database) == ["kept"]
    database.close()


def test_a_file_of_another_version_is_refused_in_one_line(tmp_path: Path) -> None:
    Database(tmp_path / "x.sqlite3", SCHEMA).close()
    with pytest.raises(
        StateUnusable, match=r"x\.sqlite3 cannot be used: another version .*--reset"
    ):
        Database(tmp_path / "x.sqlite3", "CREATE TABLE others (name TEXT)")


def test_a_file_that_is_no_database_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "x.sqlite3").write_text("hello, this is no database at all" * 100)
    with pytest.raises(StateUnusable, match="file is not a database"):
        Database(tmp_path / "x.sqlite3", SCHEMA)
