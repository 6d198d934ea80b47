"""What the documentation says, example by example: Logging query language."""

from typing import Any

import pytest

from worker.local.lql import FilterError, fold, parse

ENTRY: dict[str, Any] = {
    "logName": "projects/my-project/logs/run.googleapis.com%2Fstdout",
    "insertId": "ABC-1",
    "resource": {
        "type": "gce_instance",
        "labels": {"zone": "europe-west1-b", "project_id": "my-project", "instance_id": "673"},
    },
    "severity": "ERROR",
    "timestamp": "2026-11-20T19:24:55.237460Z",
    "receiveTimestamp": "2026-11-20T19:24:56Z",
    "labels": {
        "compute.googleapis.com/resource_id": "673",
        "pod_name": "foobar",
        "env": "prod-1-server",
    },
    "trace": "projects/my-project/traces/06796866738c859f2f19b7cfb3214824",
    "spanId": "000000000000004a",
    "traceSampled": True,
    "sourceLocation": {"file": "/app/foo.py", "line": "2147483648", "function": "main"},
    "operation": {"id": "op-1", "producer": "me", "first": True},
    "httpRequest": {
        "requestMethod": "POST",
        "status": 503,
        "latency": "1.5s",
        "responseSize": "9223372036854775807",
        "remoteIp": "10.1.2.3",
        "userAgent": "APIs-Google",
        "cacheHit": False,
    },
    "split": {"uid": "u", "index": 1, "totalSplits": 2},
    "errorGroups": [{"id": "g1"}, {"id": "g2"}],
    "jsonPayload": {
        "message": "The Cat in the Hat said Hello World",
        "cat": "longhair",
        "animal": "a nice old pet",
        "x": {"age": 24, "height": 67.5},
        "shoeSize": [8.5, 9, 6],
        "field": None,
        "end_time": "1",
        "ok": True,
        "big": "9223372036854775807",
        "realClientIP": "10.1.2.77",
        "range": "10.0.0.0/8",
        "items": [{"n": 1}, {"n": 2, "m": ["x", "y"]}],
        ":name": "apple",
        "foo.bar": "apple",
        '"foo"': "apple",
        "took": "1500ms",
        "when": "2026-11-20",
        "quoted": 'field1="bar baz"',
        "digits": "12:34:56.250",
        "empty": [],
        "text": "42",
    },
}
AUDIT: dict[str, Any] = {
    "logName": "projects/my-project/logs/cloudaudit.googleapis.com%2Factivity",
    "protoPayload": {
        "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
        "methodName": "GCE_OPERATION_DONE",
        "status": {
            "details": [
                {"@type": "t", "value": {"conditionNotMet": {"userVisibleMessage": "Specified"}}}
            ]
        },
    },
}
BARE: dict[str, Any] = {"textPayload": "unicorn of the phoenix", "insertId": "1"}

TRUE = [
    # syntax summary
    '"The cat in the hat"',
    'resource.type = "gce_instance"',
    'resource.type = "gce_instance" AND severity = "ERROR"',
    'resource.type = "k8s_cluster" OR resource.type = "gce_instance"',
    'resource.type = ("k8s_cluster" OR "gce_instance")',
    'resource.type = "gce_instance" AND (severity = "INFO" OR "cat")',
    'resource.type = "gce_instance" AND\nseverity >= "ERROR" AND\nNOT textPayload:robot',
    # boolean operators: NOT, then OR, then AND
    '"cat" OR NOT "hat" AND NOT "zebra" OR "zzz"',
    'resource.type="gce_instance" severity=ERROR -insertId="nope"',
    "severity=INFO OR severity=ERROR AND severity=ERROR",
    'timestamp>="2026-11-20T19:00:00Z" AND severity=WARNING OR severity=ERROR',
    # field paths
    'labels."compute.googleapis.com/resource_id"=673',
    'jsonPayload.":name":apple',
    'jsonPayload."foo.bar":apple',
    r'jsonPayload."\"foo\"":apple',
    "NOT jsonPayload.endTime=1 AND jsonPayload.end_time=1",
    "resource.labels.zone=europe-west1-b",
    # missing, defaulted
    "NOT jsonPayload.missing=foo",
    "NOT jsonPayload.missing!=foo",
    "NOT labels.missing!=foo",
    "NOT resource.labels.missing!=foo",
    'NOT jsonPayload.missing!~"foo"',
    'textPayload=""',
    "textPayload!=foo",
    'textPayload !~ "foo"',
    "operation.last=false",
    "httpRequest.requestSize=0",
    'httpRequest.referer=""',
    "operation.id:*",
    "-operation.last:*",
    "-httpRequest.cacheHit:*",
    "httpRequest.status:* severity:*",
    "-textPayload:*",
    "jsonPayload.field:*",
    "NOT jsonPayload.missing:*",
    "httpRequest:* jsonPayload:* labels:* resource:* errorGroups:*",
    "-protoPayload:*",
    "-jsonPayload.empty:*",
    # null
    "jsonPayload.field = NULL_VALUE",
    "NOT jsonPayload.x = NULL_VALUE",
    "jsonPayload.x != NULL_VALUE",
    "NOT jsonPayload.missing = NULL_VALUE",
    # parenthesised values
    'jsonPayload.cat = ("longhair" OR "shorthair")',
    'jsonPayload.animal : ("nice" AND "pet")',
    'jsonPayload.animal : ("nice" "pet")',
    'jsonPayload.animal : ("nice" AND NOT "young" AND -"wild")',
    "jsonPayload.x.age=(-24 OR 24)",
    # objects and arrays
    "jsonPayload.x.age = 24",
    "jsonPayload.shoeSize < 7",
    "jsonPayload.shoeSize > 8.9 jsonPayload.shoeSize < 7",
    "jsonPayload.shoeSize != 9",
    "jsonPayload.items.n=2",
    "jsonPayload.items.m=y",
    "errorGroups.id=g2",
    # values and conversions
    'jsonPayload.ok = "True"',
    "jsonPayload.ok > FALSE",
    "jsonPayload.x.height = 6.75e1",
    'jsonPayload.x.age = "24.0"',
    "NOT jsonPayload.x.age=abc",
    "NOT jsonPayload.x.age!=abc",
    "NOT jsonPayload.text > 5 OR jsonPayload.text > 5",
    'jsonPayload.text > "41"',
    "jsonPayload.big = 9223372036854775807",
    "httpRequest.responseSize = 9223372036854775807",
    "sourceLocation.line > 2147483647",
    "httpRequest.status >= 500",
    "httpRequest.status:503",
    'httpRequest.latency > "999ms"',
    "httpRequest.latency = 0.025m",
    "httpRequest.latency >= 1500000000ns httpRequest.latency < -1h OR httpRequest.latency <= 1.5s",
    "NOT jsonPayload.took=1.5s",
    "split.index=1 split.totalSplits=2 split.uid=U",
    "traceSampled=true operation.first=TRUE",
    # enum
    "severity=error",
    "severity:Error",
    "severity>WARNING severity<CRITICAL",
    "severity>=500",
    "severity>450",
    # time
    'timestamp > "2026-11-20"',
    'timestamp < "2026-11-21"',
    "timestamp < 2026-11-21",
    'timestamp = "2026-11-20T20:24:55.23746+01:00"',
    'timestamp = "2026-11-20T20:24:55.237460000+0100"',
    'timestamp>="2026-11-20T19:24:55.237460+0000"',
    'timestamp >= "2026-11-20T14:40:00-04:00" timestamp <= "2026-11-20T19:24:55.238Z"',
    # comments
    "-- All\nresource.type = gce_instance\n-- severity=INFO\njsonPayload.cat=longhair -- end",
    # text ignores letter case, patterns do not
    "jsonPayload.cat=LONGHAIR",
    "jsonPayload.cat<LONGHAIS",
    'jsonPayload.message:"CAT IN"',
    'jsonPayload.message=~"Cat"',
    'NOT jsonPayload.message=~"cat"',
    'sourceLocation.file =~ "foo"',
    'labels.pod_name =~ "(?i)FOO"',
    r'jsonPayload.quoted =~ "field1=\"bar.*\""',
    'labels.pod_name =~ "(foo|bar)"',
    'logName =~ "%2Fstdout$"',
    'labels.pod_name !~ "zzz"',
    'labels.env =~ ("^prod.*server" OR "^staging.*server")',
    'logName =~ "^projects"',
    r'jsonPayload.digits =~ "\d+:\d+"',
    r'jsonPayload.digits =~ "\\d+:\\d+"',
    # global restrictions
    "unicorn OR cat",
    '("cat" AND ("hat" OR "bat"))',
    "503",
    "error",
    '"hello WORLD"',
    "europe-west1-b",
    "g1",
    # functions
    'log_id("run.googleapis.com/stdout")',
    'LOG_ID("run.googleapis.com%2Fstdout")',
    "source(projects/my-project)",
    "NOT source(projects/my)",
    "sample(insertId, 1)",
    "NOT sample(jsonPayload.missing, 1)",
    "sample(httpRequest.referer, 1.0)",
    'ip_in_net(jsonPayload.realClientIP, "10.1.2.0/24")',
    'NOT ip_in_net(jsonPayload.realClientIP, "10.1.3.0/24")',
    'ip_in_net(httpRequest.remoteIp, "10.1.2.3")',
    'ip_in_net(jsonPayload.range, "10.0.0.0/8")',
    'NOT ip_in_net(jsonPayload.range, "10.0.0.0/16")',
    'NOT ip_in_net(httpRequest.serverIp, "0.0.0.0/0")',
    'SEARCH("world")',
    'SEARCH("World")',
    'SEARCH("hello world")',
    'SEARCH("World hello")',
    'search("cat APIs-Google")',
    'SEARCH("`hello world`")',
    'NOT SEARCH("`world hello`")',
    'SEARCH(jsonPayload.message, "hello world")',
    'NOT SEARCH(jsonPayload.message, "apple")',
    'NOT SEARCH("hell")',
    'NOT SEARCH("503")',
    'SEARCH(jsonPayload, "pet hat")',
    'cast(timestamp, STRING, TIMEZONE("America/New_York")) =~ "^2026-11-20T14.*-05:00$"',
    'cast(timestamp, STRING) = "2026-11-20T19:24:55.237460Z"',
    r'CAST(REGEXP_EXTRACT(CAST(timestamp, STRING), "\\d+:\\d+:\\d+\\.(\\d+)"), INT64) = 237460',
    r'cast(regexp_extract(jsonPayload.digits, "\\.(\\d+)$"), INT64) < 500',
    "cast(jsonPayload.text, INT64) > 5",
    "cast(jsonPayload.took, DURATION) = 1.5s",
    'cast(jsonPayload.when, TIMESTAMP) <= "2026-11-20T00:00:00Z"',
    'cast(severity, STRING) = "error"',
    'cast(jsonPayload.x.age, STRING) =~ "^24$"',
    "cast(jsonPayload.ok, INT64) = 1",
    "cast(jsonPayload.x.height, INT64) = 68",
    "cast(jsonPayload.ok, STRING) : RU",
    "cast(jsonPayload.shoeSize, DOUBLE) < 7",
    "NOT cast(jsonPayload.cat, INT64) != 5",
    'regexp_extract(jsonPayload.message, "(C.t)") = "cat"',
    # objects as a whole
    "jsonPayload:hat",
    "jsonPayload:shoeSize",
    "labels:env",
    "httpRequest:post",
    "NOT httpRequest:nothing",
]


@pytest.mark.parametrize("text", TRUE)
def test_an_entry_matches_as_documented(text: str) -> None:
    assert parse(text).matches(ENTRY)


@pytest.mark.parametrize(
    "text",
    [
        'logName = "projects/my-project/logs/activity"',
        "jsonPayload.cat != longhair",
        "textPayload:(unicorn phoenix)",
        "severity=DEFAULT",
        "jsonPayload.Cat=longhair",
        "timestamp < 2026-11-20",
        "resource.type=gce",
        "and",
        "severity=ERROR or severity=INFO",
        "jsonPayload.x = 24",
        'jsonPayload.field != "a"',
        "jsonPayload.field != NULL_VALUE",
        "jsonPayload.missing != NULL_VALUE",
        'jsonPayload.field !~ "a"',
        "httpRequest.status=504 OR httpRequest.latency<1s",
        "NOT (severity=ERROR OR severity=INFO)",
        "operation.last=true",
        "jsonPayload.empty!=1",
        'SEARCH("`hat said hell`")',
        "cast(jsonPayload.missing, INT64) = 0",
    ],
)
def test_an_entry_does_not_match_as_documented(text: str) -> None:
    assert not parse(text).matches(ENTRY)


@pytest.mark.parametrize(
    "text",
    [
        "protoPayload.methodName=GCE_OPERATION_DONE",
        "protoPayload.methodname=gce_operation_done",
        "protoPayload.method_name:operation",
        'protoPayload.status.details.conditionNotMet.userVisibleMessage =~ "^Spec"',
        'protoPayload."@type":AuditLog',
        "protoPayload.@type:AuditLog",
        '"GCE_OPERATION_DONE"',
        'log_id("cloudaudit.googleapis.com/activity")',
        "severity=DEFAULT severity>=DEFAULT -severity:*",
        "proto_payload.methodName:* log_name:activity",
    ],
)
def test_an_audit_entry_matches_as_documented(text: str) -> None:
    assert parse(text).matches(AUDIT)


@pytest.mark.parametrize(
    "text", ["unicorn", "unicorn phoenix", "textPayload:(unicorn phoenix)", "textPayload:*", ""]
)
def test_a_text_entry_matches_as_documented(text: str) -> None:
    assert parse(text).matches(BARE)


def test_a_query_that_looks_for_the_words_together_finds_them_together_only() -> None:
    assert not parse('textPayload:"unicorn phoenix"').matches(BARE)
    assert parse('NOT textPayload: "unicorn phoenix"').matches(BARE)


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ('a="b" AND c="d"', None),
        ("a OR NOT b AND NOT c OR d", "(a OR (NOT b)) AND ((NOT c) OR d)"),
        ("a b -c", "a AND b AND NOT c"),
        ('insertId=("a" OR "b")', 'insertId="a" OR insertId="b"'),
        ('insertId="ABC-1" OR "ABC-2"', '(insertId="ABC-1") OR ("ABC-2")'),
        ("jsonPayload.x:(a AND NOT b)", "jsonPayload.x:a AND NOT jsonPayload.x:b"),
        ("((((a))))", "a"),
        ("severity\n>=\nERROR", 'severity >= "ERROR"'),
        ("LOG_NAME=x", "logName=x"),
        ("cast(jsonPayload.a, double)=1", 'CAST(jsonPayload."a", FLOAT64)="1"'),
        ('"caf\\u00e9\\t\\x41\\101"', '"caf\u00e9\tAA"'),
        ('"\\ud83d\\ude00"', '"\U0001f600"'),
        ("jsonPayload.x=(-3 OR 4)", 'jsonPayload.x="-3" OR jsonPayload.x=4'),
        ("-5 x", 'NOT "5" AND x'),
        ("foo--bar\nbaz", "foo baz"),
    ],
)
def test_two_texts_are_the_same_query(text: str, other: str | None) -> None:
    if other is None:
        with pytest.raises(FilterError, match="unknown field"):
            parse(text)
    else:
        assert parse(text) == parse(other)
        assert hash(parse(text)) == hash(parse(other))


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("ABC", "abc"),
        ("\u212a", "k"),
        ("Stra\u00dfe", "strasse"),
        ("\ufb01", "fi"),
        ("a\u00adb", "ab"),
        ("e\u0301", "\u00e9"),
        ("\uff21", "a"),
        ("\ufb03\u0301", "ff\u00ed"),
        ("\u0130", "i\u0307"),
    ],
)
def test_text_is_folded_as_nfkc_casefold_says(text: str, folded: str) -> None:
    assert fold(text) == folded
    assert fold(folded) == folded


@pytest.mark.parametrize(
    ("text", "path", "named"),
    [
        ('timestamp>="2026-01-01"', ("timestamp",), True),
        ('severity=INFO OR NOT timestamp>="2026-01-01"', ("timestamp",), True),
        ('cast(timestamp, STRING):"2026"', ("timestamp",), True),
        ("resource.labels.zone=a", ("resource", "labels"), True),
        ('log_id("x")', ("logName",), True),
        ("sample(insertId, 0.5)", ("insertId",), True),
        ('SEARCH(textPayload, "x")', ("textPayload",), True),
        ("timestamp", ("timestamp",), False),
        ("receiveTimestamp>2026-01-01", ("timestamp",), False),
    ],
)
def test_a_query_says_whether_it_names_a_field(
    text: str, path: tuple[str, ...], named: bool
) -> None:
    assert parse(text).mentions(*path) is named


def test_a_query_is_written_in_one_form() -> None:
    text = str(parse('severity=(ERROR OR INFO) -textPayload:a jsonPayload."b c"=~"\\\\d"'))
    assert text == (
        '(severity="ERROR" OR severity="INFO") AND NOT textPayload:"a"'
        ' AND jsonPayload."b c"=~"\\\\d"'
    )


def test_a_map_without_keys_is_not_there() -> None:
    assert not parse("labels:*").matches({"labels": {}})
    assert parse("jsonPayload:*").matches({"jsonPayload": {}})


def test_half_of_a_surrogate_pair_in_an_entry_does_not_stop_a_pattern() -> None:
    entry = {"jsonPayload": {"a": "\ud800x"}}
    assert parse('jsonPayload.a=~"x$"').matches(entry)
    assert parse('regexp_extract(jsonPayload.a, "(x)")=X').matches(entry)
