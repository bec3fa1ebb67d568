-- The fourth version: pauses, and what a long history needs.

-- The pauses that hold; key is '' for that of all jobs.
CREATE TABLE pauses (
    key TEXT PRIMARY KEY,
    since INTEGER NOT NULL,
    until INTEGER,
    note TEXT NOT NULL,
    who TEXT NOT NULL
) WITHOUT ROWID;

-- The runs that went wrong, which are few: by key, and all.
CREATE INDEX runs_gone_wrong_by_key ON runs (key) WHERE outcome IN ('failed', 'timed_out', 'interrupted');
CREATE INDEX runs_gone_wrong ON runs (id) WHERE outcome IN ('failed', 'timed_out', 'interrupted');

-- The code of RDs' executes as it was in each version that has run; content is JSON, packed by zlib.
CREATE TABLE versions (
    rd_id TEXT NOT NULL,
    digest TEXT NOT NULL,
    at INTEGER NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (rd_id, digest)
);

-- The version of each RD with executes that was accepted last.
CREATE TABLE digests (
    rd_id TEXT PRIMARY KEY,
    digest TEXT NOT NULL
) WITHOUT ROWID;

-- Who did what to what, and when.
CREATE TABLE deeds (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    who TEXT NOT NULL,
    what TEXT NOT NULL,
    about TEXT NOT NULL,
    detail TEXT NOT NULL
);
CREATE INDEX deeds_by_about ON deeds (about);
