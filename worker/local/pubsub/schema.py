"""The tables of Pub/Sub's state, and a transaction on them."""

import sqlite3
from dataclasses import dataclass

from worker.local.pubsub.ids import Ids

# `body` is the resource as a serialized protobuf message. Times are seconds since the epoch.
SCHEMA = """
CREATE TABLE moments (latest REAL NOT NULL);
INSERT INTO moments VALUES (0);

CREATE TABLE topics (
    name TEXT PRIMARY KEY,
    body BLOB NOT NULL,
    retention REAL NOT NULL         -- seconds that a message is kept whoever acknowledged it
) WITHOUT ROWID;

CREATE TABLE subscriptions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    topic TEXT NOT NULL,
    body BLOB NOT NULL
);
CREATE INDEX subscriptions_of_topic ON subscriptions (topic);

CREATE TABLE snapshots (
    name TEXT PRIMARY KEY,
    topic TEXT NOT NULL,
    body BLOB NOT NULL,
    after INTEGER NOT NULL,         -- messages with a greater id were published later
    expires REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX snapshots_of_topic ON snapshots (topic);

CREATE TABLE snapshot_messages (    -- what was not acknowledged when it was made
    snapshot TEXT NOT NULL REFERENCES snapshots ON DELETE CASCADE,
    message INTEGER NOT NULL,
    PRIMARY KEY (snapshot, message)
) WITHOUT ROWID;

CREATE TABLE policies (resource TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;

CREATE TABLE messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    topic TEXT NOT NULL,
    published REAL NOT NULL,
    ordering_key TEXT NOT NULL,
    attributes TEXT NOT NULL,       -- JSON
    data BLOB NOT NULL
);
CREATE INDEX messages_of_topic ON messages (topic, published);

CREATE TABLE dead_letters (         -- what was forwarded, for the metric that counts it
    subscription TEXT NOT NULL,
    forwarded REAL NOT NULL
);
CREATE INDEX dead_letters_by_time ON dead_letters (forwarded);

CREATE TABLE states (               -- a message in a subscription that wants it
    subscription INTEGER NOT NULL REFERENCES subscriptions ON DELETE CASCADE,
    message INTEGER NOT NULL,
    ordering_key TEXT,              -- NULL: none, or the subscription has no ordering
    head INTEGER NOT NULL,          -- 0: waits for an earlier message of its ordering key
    due REAL NOT NULL,              -- may be handed out from then on; of a lease: when it ends
    lease INTEGER,                  -- NULL: not handed out
    failures INTEGER NOT NULL,      -- nacks and deadline misses
    fence INTEGER NOT NULL,         -- leases up to this number were of an earlier life
    acked INTEGER NOT NULL,         -- 1: kept for a seek
    PRIMARY KEY (subscription, message)
) WITHOUT ROWID;
CREATE INDEX states_of_message ON states (message);
CREATE INDEX ready ON states (subscription, due) WHERE lease IS NULL AND acked = 0 AND head = 1;
CREATE INDEX leased ON states (subscription, due) WHERE lease IS NOT NULL;
CREATE INDEX keys ON states (subscription, ordering_key, message)
    WHERE ordering_key IS NOT NULL AND acked = 0
"""


@dataclass(frozen=True, slots=True)
class Transaction:
    """One change of the state: all of it happens at `now`, or none."""

    connection: sqlite3.Connection
    now: float  # seconds since the epoch
    ids: Ids
