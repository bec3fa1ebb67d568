-- The first version of the state file.  Instants are microseconds since 1970 in UTC; texts as store.py's _stored has them.

-- The runs that go on: noted before they start, taken away when they have ended.
CREATE TABLE claims (
    holder TEXT NOT NULL,
    run_id TEXT NOT NULL,
    key TEXT NOT NULL,
    title TEXT NOT NULL,
    due INTEGER NOT NULL,
    reason TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    claimed_at INTEGER NOT NULL,
    digest TEXT NOT NULL,
    PRIMARY KEY (holder, run_id)
) WITHOUT ROWID;

-- The runs that have ended, in the order in which they did.
-- What may be long comes last, so that reading the rest does not touch it.
CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    run_id TEXT NOT NULL UNIQUE,
    key TEXT NOT NULL,
    title TEXT NOT NULL,
    due INTEGER NOT NULL,
    reason TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    started_at INTEGER,
    finished_at INTEGER,
    outcome TEXT,
    returncode INTEGER,
    host TEXT NOT NULL,
    digest TEXT NOT NULL,
    error TEXT NOT NULL,
    output TEXT NOT NULL
);

CREATE INDEX runs_by_key ON runs (key);

-- For each key the instant its last start counts from: the phase of its schedule.
CREATE TABLE last_starts (
    key TEXT PRIMARY KEY,
    at INTEGER NOT NULL
) WITHOUT ROWID;

-- Mails, delivered ones among them; next_attempt_at is NULL where nothing more is to be tried.
CREATE TABLE outbox (
    mail_id INTEGER PRIMARY KEY AUTOINCREMENT,
    subject TEXT NOT NULL,
    queued_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    next_attempt_at INTEGER,
    delivered_at INTEGER,
    failed_at INTEGER,
    error TEXT NOT NULL DEFAULT '',
    content BLOB NOT NULL
);

CREATE INDEX outbox_waiting ON outbox (next_attempt_at) WHERE next_attempt_at IS NOT NULL;

-- The RDs that are broken at present; diagnostics and held_back are JSON.
CREATE TABLE rejections (
    rd_id TEXT PRIMARY KEY,
    path TEXT NOT NULL,
    digest TEXT NOT NULL,
    rejected_at INTEGER NOT NULL,
    diagnostics TEXT NOT NULL,
    held_back TEXT NOT NULL
) WITHOUT ROWID;
