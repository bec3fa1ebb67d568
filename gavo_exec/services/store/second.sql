-- The second version: what retries, missed instants and new files need.

-- How many due instants a run stands for; made anew, since a column that is added comes after the long ones.
DROP INDEX runs_by_key;
ALTER TABLE runs RENAME TO runs_before;
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
    instants INTEGER NOT NULL,
    error TEXT NOT NULL,
    output TEXT NOT NULL
);
INSERT INTO runs
SELECT
    id, run_id, key, title, due, reason, attempt, started_at, finished_at, outcome, returncode, host, digest, 1, error,
    output
FROM runs_before;
DROP TABLE runs_before;
CREATE INDEX runs_by_key ON runs (key);

-- The schedule, in words, that the instants were due by.
ALTER TABLE last_starts ADD COLUMN schedule TEXT NOT NULL DEFAULT '';

-- For each key the attempt that is to follow what failed.
CREATE TABLE retries (
    key TEXT PRIMARY KEY,
    due INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    at INTEGER NOT NULL
) WITHOUT ROWID;

-- The files that a key's runs have succeeded with.
CREATE TABLE seen_files (
    key TEXT NOT NULL,
    path TEXT NOT NULL,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    PRIMARY KEY (key, path)
) WITHOUT ROWID;
