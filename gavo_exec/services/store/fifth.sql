-- The fifth version: pauses.

-- The pauses that hold; key is '' for that of all jobs.
CREATE TABLE pauses (
    key TEXT PRIMARY KEY,
    since INTEGER NOT NULL,
    until INTEGER,
    note TEXT NOT NULL,
    who TEXT NOT NULL
) WITHOUT ROWID;
