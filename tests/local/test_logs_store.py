"""The log store: what is written is found, in order, page by page."""

import itertools
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from queue import Empty
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.local.logs_support import LOG, NOW, Time, entry, open_logs
from worker.local.logs import figures, searching, store
from worker.local.logs.store import Found, Logs, Retention
from worker.local.logs.tails import Tails
from worker.local.logs.tokens import token
from worker.local.lql import Query, fold, parse

EVERYTHING = parse("")
N_2 = token(("jsonPayload", "n"), "2.0")


@pytest.fixture
def logs(tmp_path: Path) -> Iterator[Logs]:
    opened = open_logs(tmp_path)
    yield opened
    opened.close()


def ids(logs: Logs, query: str = "", **options: Any) -> list[str]:
    found = logs.search(parse(query), limit=1000, **options)
    assert found.next == ""
    return [one["insertId"] for one in found.entries]


def pages(logs: Logs, query: Query, size: int, **options: Any) -> Iterator[Found]:
    after = ""
    while True:
        found = logs.search(query, limit=size, after=after, **options)
        yield found
        if not found.next:
            return
        after = found.next


def test_what_is_missing_is_filled_in(logs: Logs) -> None:
    logs.write([{"logName": LOG, "textPayload": "a"}, {"logName": LOG, "textPayload": "b"}])
    first, second = logs.search(EVERYTHING, limit=9, newest_first=False).entries
    assert first == {
        "logName": LOG,
        "textPayload": "a",
        "insertId": first["insertId"],
        "timestamp": "2026-11-18T11:06:40Z",
        "receiveTimestamp": "2026-11-18T11:06:40Z",
    }
    assert second["textPayload"] == "b"
    assert first["insertId"] < second["insertId"]


def test_a_timestamp_is_written_in_utc(logs: Logs) -> None:
    logs.write([entry(timestamp="2026-11-18T12:06:40.12+0100")])
    (found,) = logs.search(EVERYTHING, limit=9).entries
    assert found["timestamp"] == "2026-11-18T11:06:40.120Z"


@pytest.mark.parametrize(
    "broken",
    [
        {"timestamp": "soon"},
        {"timestamp": "2026-02-30T00:00:00Z"},
        {"timestamp": "0001-01-01T00:00:00+01:00"},
        {"timestamp": "9999-12-31T23:59:59Z"},
        {"textPayload": "\ud800"},
        {"jsonPayload": {"a": float("nan")}},
    ],
)
def test_an_entry_that_cannot_be_stored_keeps_the_whole_batch_out(
    logs: Logs, broken: dict[str, Any]
) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - which one is not the point
        logs.write([entry(1), entry(2, **broken)])
    assert ids(logs) == []


def test_the_newest_comes_first_unless_the_oldest_is_wanted(logs: Logs) -> None:
    logs.write([entry(2), entry(1), entry(3)])
    assert ids(logs) == ["id-000001", "id-000002", "id-000003"]
    assert ids(logs, newest_first=False) == ["id-000003", "id-000002", "id-000001"]


def test_entries_of_one_time_are_sorted_by_their_id(logs: Logs) -> None:
    logs.write([entry(1, insertId=name) for name in ("b", "c", "a")])
    assert ids(logs, newest_first=False) == ["a", "b", "c"]


def test_an_entry_with_time_id_and_log_of_another_is_the_same(logs: Logs) -> None:
    logs.write([entry(1), entry(1), entry(1, logName=LOG + "2"), entry(1, insertId="other")])
    logs.write([entry(1)])
    assert ids(logs) == ["other", "id-000001", "id-000001"]
    assert ids(logs, 'jsonPayload.n="1"') == ["other", "id-000001", "id-000001"]


def test_entries_survive_a_restart(tmp_path: Path) -> None:
    logs = open_logs(tmp_path)
    logs.write([entry(1)])
    logs.close()
    logs = open_logs(tmp_path)
    assert ids(logs, "jsonPayload.n=1") == ["id-000001"]
    assert (logs.count_up("a"), logs.count_up("a"), logs.count_up("b")) == (1, 2, 1)
    logs.close()


def test_pages_show_what_was_there_once_whatever_arrives_meanwhile(logs: Logs) -> None:
    logs.write([entry(number) for number in range(10, 20)])
    seen: list[str] = []
    for number, page in enumerate(pages(logs, EVERYTHING, 3)):
        seen += [one["insertId"] for one in page.entries]
        logs.write([entry(number), entry(15, insertId=f"late-{number}")])
    assert [one for one in seen if one.startswith("id-")] == [f"id-0000{n}" for n in range(10, 20)]
    assert len(seen) == len(set(seen))
    assert "late-0" in seen


def test_a_cursor_that_is_none_is_refused(logs: Logs) -> None:
    for cursor in ("nonsense", "é", "W10=", "WzEsMiwzXQ==", "eyJhIjoxfQ==", "="):
        with pytest.raises(ValueError, match="page token"):
            logs.search(EVERYTHING, limit=1, after=cursor)


def test_a_search_whose_time_is_over_says_where_to_go_on(logs: Logs) -> None:
    logs.write([entry(number) for number in range(5)])
    query = parse('jsonPayload.n="4" OR "nothing"')
    found = list(pages(logs, query, 10, seconds=0))
    assert [len(page.entries) for page in found] == [0, 0, 0, 0, 1, 0]


def test_only_entries_of_the_parents_are_found(logs: Logs) -> None:
    logs.write([entry(1), entry(2, logName="projects/demo2/logs/test")])
    assert ids(logs, parents=["projects/demo"]) == ["id-000001"]
    assert ids(logs, parents=["projects/demo", "projects/demo2"]) == ["id-000001", "id-000002"]
    assert ids(logs, parents=["projects/de"]) == []


def test_logs_are_named_as_long_as_they_hold_entries(logs: Logs) -> None:
    logs.write([entry(1, logName=LOG + "2"), entry(1), entry(2)])
    assert ids(logs, "jsonPayload.n=2") == ["id-000002"]
    assert logs.names() == [LOG, LOG + "2"]
    assert logs.delete(LOG) == 2
    assert logs.delete(LOG) == 0
    assert logs.names() == [LOG + "2"]
    assert ids(logs) == ["id-000001"]
    with logs._database.read() as connection:
        left = list(connection.execute("SELECT rowid FROM term WHERE term MATCH ?", (N_2,)))
    assert left == []


def test_a_large_log_is_deleted_in_steps(logs: Logs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "_STEP", 4)
    logs.write([entry(number) for number in range(10)])
    logs.write([entry(number, logName=LOG + "2") for number in range(10)])
    assert logs.delete(LOG) == 10
    assert len(ids(logs)) == 10
    assert ids(logs, 'jsonPayload.n="3"') == ["id-000003"]


def test_entries_older_than_a_month_are_not_kept(tmp_path: Path) -> None:
    time = Time()
    logs = open_logs(tmp_path, now=time)
    with logs.listen() as queue:
        logs.write([entry(31 * 86_400), entry(29 * 86_400), entry(1)])
    assert queue.qsize() == 2
    assert ids(logs) == ["id-000001", f"id-{29 * 86_400}"]
    time.seconds += 2 * 86_400
    logs.write([entry(2)])
    assert ids(logs) == ["id-000001", "id-000002"]
    logs.close()


def test_the_oldest_entries_leave_when_there_are_too_many(tmp_path: Path) -> None:
    logs = open_logs(tmp_path, Retention(entries=5))
    for number in range(20, 0, -1):
        logs.write([entry(number, jsonPayload={"all": "same"})])
    assert ids(logs) == [f"id-00000{number}" for number in range(1, 6)]
    assert ids(logs, "jsonPayload.all=same") == ids(logs)
    assert logs.names() == [LOG]
    logs.close()


def test_what_is_written_soon_is_found_at_once(logs: Logs) -> None:
    for number in range(100):
        logs.write_soon(entry(number))
        assert f"id-{number:06d}" in ids(logs)


def test_nothing_written_soon_is_lost_by_closing(tmp_path: Path) -> None:
    logs = open_logs(tmp_path)
    for number in range(5000):
        logs.write_soon(entry(number))
    logs.close()
    logs = open_logs(tmp_path)
    assert logs.facets(EVERYTHING)["logName"] == [(LOG, 5000)]
    logs.close()


def test_many_threads_write_and_search_together(logs: Logs) -> None:
    def work(thread: int) -> None:
        for number in range(50):
            logs.write_soon(entry(number, insertId=f"{thread}-{number}"))
            logs.search(EVERYTHING, limit=1)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids(logs)) == 200


def test_a_failed_write_loses_nothing_and_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs = open_logs(tmp_path)
    with monkeypatch.context() as broken:
        broken.setattr(store, "insert", _full_disk)
        logs.write_soon(entry(1))
        with pytest.raises(OSError, match="disk"):
            logs.search(EVERYTHING, limit=1)
    assert ids(logs) == ["id-000001"]
    logs.close()


def _full_disk(*_: object) -> None:
    raise OSError("disk full")


def test_who_listens_gets_the_new_entries_only(logs: Logs) -> None:
    logs.write([entry(1)])
    with logs.listen() as queue:
        logs.write([entry(1), entry(2)])
        logs.write_soon(entry(3))
        assert [queue.get(timeout=30)["insertId"] for _ in range(2)] == ["id-000002", "id-000003"]
    logs.write([entry(4)])
    with pytest.raises(Empty):
        queue.get_nowait()


def test_who_listens_too_slowly_learns_how_many_are_missing() -> None:
    tails = Tails(size=2)
    with tails.listen() as slow, tails.listen() as quick:
        for number in range(5):
            tails.offer([entry(number)])
            assert quick.get_nowait()["jsonPayload"] == {"n": number}
        assert (slow.qsize(), slow.take_dropped(), slow.take_dropped()) == (2, 3, 0)
        assert quick.take_dropped() == 0


PAYLOADS = st.dictionaries(
    st.sampled_from(["feature", "outcome", "a", "b", "é"]),
    st.recursive(
        st.sampled_from(["x", "X", "\uff58", "1", "1.0", "true", ""])
        | st.sampled_from([1, 1.0, -0.0, 0, True, False, None, 10**300]),
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.just("a"), inner),
        max_leaves=3,
    ),
)
FIELDS = st.fixed_dictionaries(
    {"timestamp": st.integers(0, 3).map(lambda n: entry(n)["timestamp"]), "jsonPayload": PAYLOADS},
    optional={
        "severity": st.sampled_from(["DEFAULT", "INFO", "ERROR"]),
        "labels": st.dictionaries(st.sampled_from("ab"), st.sampled_from(["x", "y"])),
        "trace": st.sampled_from(["t", "T2"]),
        "operation": st.fixed_dictionaries({"id": st.sampled_from(["1", "x"])}),
    },
)
CONDITIONS = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["", "NOT "]),
    st.sampled_from(
        ["jsonPayload.feature", "jsonPayload.outcome", "jsonPayload.a", "jsonPayload.a.a",
         'jsonPayload."é"', "severity", "labels.a", "trace", "operation.id", "timestamp",
         "operation.first", "logName", "insertId", "jsonPayload", "labels", "operation"]
    ),
    st.sampled_from(["=", "!=", ":", ">=", "<"]),
    st.sampled_from(["x", "X", "1", "1.00", "-0", "true", '""', "INFO", "NULL_VALUE", "inf"]),
)  # fmt: skip
QUERIES = st.recursive(
    CONDITIONS | st.sampled_from([f'timestamp>="{entry(1)["timestamp"]}"', '"x"']),
    lambda inner: st.tuples(inner, st.sampled_from([" AND ", " OR "]), inner).map(
        lambda parts: f"({''.join(parts)})"
    ),
    max_leaves=5,
)


def parsed(text: str) -> Query:
    try:
        return parse(text)
    except ValueError:  # the types do not fit
        return parse('jsonPayload.feature="x"')


@given(
    st.lists(FIELDS, max_size=12),
    QUERIES.map(parsed),
    st.fixed_dictionaries({"size": st.integers(1, 5), "newest_first": st.booleans()}),
    st.tuples(st.sampled_from([0, 1, 1000]), st.integers(1, 9)),
)
def test_pages_hold_exactly_what_the_query_matches_in_order(
    tmp_path_factory: pytest.TempPathFactory,
    fields: list[dict[str, Any]],
    query: Query,
    options: dict[str, Any],
    few_and_slice: tuple[int, int],
) -> None:
    written = [entry(insertId=f"{number:02d}", **one) for number, one in enumerate(fields)]
    logs = open_logs(tmp_path_factory.mktemp("logs"))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(searching, "FEW", few_and_slice[0])
        patched.setattr(searching, "SLICE", few_and_slice[1])
        logs.write(written)
        found = [page.entries for page in pages(logs, query, **options)]
    logs.close()
    order = sorted(written, key=lambda one: (one["timestamp"], one["insertId"]))
    wanted = [one["insertId"] for one in order if query.matches(one)]
    assert all(len(page) <= options["size"] for page in found)
    assert [one["insertId"] for one in itertools.chain.from_iterable(found)] == (
        wanted[::-1] if options["newest_first"] else wanted
    )


def test_a_histogram_counts_severities_in_stretches_of_time(logs: Logs) -> None:
    logs.write([entry(1, severity="ERROR"), entry(2), entry(9), entry(10), entry(11)])
    for query in ("", "severity>=DEFAULT", "resource.type=global"):
        found = logs.histogram(parse(query), NOW - 10, NOW, 2)
        assert found.complete
        assert [(one.start, one.seconds, one.counts) for one in found] == [
            (NOW - 10, 5.0, {"DEFAULT": 2}),
            (NOW - 5, 5.0, {"DEFAULT": 1, "ERROR": 1}),
        ]


def test_a_histogram_needs_a_span_and_a_bucket(logs: Logs) -> None:
    for since, until, buckets in ((2, 1, 5), (1, 1, 5), (1, 2, 0)):
        with pytest.raises(ValueError, match="bucket"):
            logs.histogram(EVERYTHING, since, until, buckets)


def test_facets_count_the_values_of_a_field_most_first(logs: Logs) -> None:
    logs.write(
        [
            entry(1, severity="ERROR", jsonPayload={"feature": "A", "event": "e"}),
            entry(2, jsonPayload={"feature": "A", "outcome": "done"}),
            entry(3, jsonPayload={"feature": "b", "event": ["x"]}),
        ]
    )
    for query in ("", "resource.type=global"):
        found = logs.facets(parse(query))
        assert found.complete
        assert found == {
            "severity": [("DEFAULT", 2), ("ERROR", 1)],
            "logName": [(LOG, 3)],
            "jsonPayload.feature": [("A", 2), ("b", 1)],
            "jsonPayload.outcome": [("done", 1)],
            "jsonPayload.event": [("e", 1)],
        }


@given(st.lists(FIELDS, max_size=12), QUERIES.map(parsed))
def test_figures_count_exactly_what_the_query_matches(
    tmp_path_factory: pytest.TempPathFactory, fields: list[dict[str, Any]], query: Query
) -> None:
    written = [entry(insertId=f"{number:02d}", **one) for number, one in enumerate(fields)]
    logs = open_logs(tmp_path_factory.mktemp("logs"))
    logs.write(written)
    histogram, facets = logs.histogram(query, NOW - 3, NOW, 3), logs.facets(query)
    logs.close()
    matching = [one for one in written if query.matches(one)]
    times = Counter((one["timestamp"], one.get("severity", "DEFAULT")) for one in matching)
    assert histogram.complete
    assert facets.complete
    assert {
        (entry(3 - number)["timestamp"], severity): count
        for number, bucket in enumerate(histogram)
        for severity, count in bucket.counts.items()
    } == {key: count for key, count in times.items() if key[0] != entry(0)["timestamp"]}
    severities = Counter(one.get("severity", "DEFAULT") for one in matching)
    outcomes = [one["jsonPayload"].get("outcome") for one in matching]
    assert dict(facets["severity"]) == severities
    assert dict(facets["logName"]) == ({LOG: len(matching)} if matching else {})
    shown: Counter[str] = Counter()  # values that differ in letter case only may be one
    for value, count in facets["jsonPayload.outcome"]:
        shown[fold(value)] += count
    assert shown == Counter(fold(value) for value in outcomes if value and isinstance(value, str))


def test_figures_of_a_time_that_no_column_holds_are_right(logs: Logs) -> None:
    logs.write([entry(1)])
    for query, count in (('timestamp>="9999-01-01"', 0), ('timestamp<"9999-01-01"', 1)):
        asked = parse(f'{query} AND timestamp<"2100-01-01"')
        assert logs.facets(asked)["logName"] == [(LOG, 1)][:count]


def test_figures_of_more_entries_than_one_can_wait_for_say_so(
    logs: Logs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "MOST", 3)
    logs.write([entry(number) for number in range(5)])
    for query in ("", "resource.type=global"):
        found = logs.facets(parse(query))
        assert (found.complete, found["logName"]) == (False, [(LOG, 3)])
    counted = logs.histogram(parse("resource.type=global"), NOW - 9, NOW + 1, 1)
    assert (counted.complete, counted[0].counts) == (False, {"DEFAULT": 3})


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("query", ['jsonPayload.feature="x"', "severity>=ERROR", '"nothing"'])
def test_a_query_for_a_frequent_value_reads_slices_of_the_order_and_sorts_nothing(
    logs: Logs, monkeypatch: pytest.MonkeyPatch, query: str, newest_first: bool
) -> None:
    monkeypatch.setattr(searching, "FEW", 0)
    monkeypatch.setattr(searching, "SLICE", 1)
    logs.write([entry(number, jsonPayload={"feature": "x"}) for number in range(4)])
    asked = parse(f'timestamp>="2026-01-01T00:00:00Z" timestamp<"2027-01-01T00:00:00Z" {query}')
    said: list[str] = []
    with logs._database.read() as connection:
        way = searching.plan(connection, asked, [], newest_first=newest_first)
        connection.set_trace_callback(said.append)
        list(searching.seen(connection, way, asked))
        connection.set_trace_callback(None)
        steps = [list(connection.execute(f"EXPLAIN QUERY PLAN {sql}")) for sql in said]
    assert len(steps) > 6
    assert {len(one) for one in steps} == {1}  # nothing is sorted
    edges = "(time,insert_id,log)>(?,?,?) AND (time,insert_id,log)<(?,?,?)"
    middle = [one[0]["detail"] for one in steps[3:-2:2]]
    assert middle
    assert set(middle) == {f"SEARCH entry USING INDEX entry_order ({edges})"}


def test_a_search_looks_at_the_clock_though_no_row_passes(
    logs: Logs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "SLICE", 2)
    logs.write([entry(number) for number in range(5)])
    found = list(pages(logs, parse("severity>=ERROR"), 10, seconds=0))
    assert [page.entries for page in found] == [[], [], []]
