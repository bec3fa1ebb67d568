-- The third version: what is told of incidents, and by which channels.

-- Made anew, since columns that are added come after the long ones.
DROP INDEX outbox_waiting;
ALTER TABLE outbox RENAME TO outbox_before;
CREATE TABLE outbox (
    mail_id INTEGER PRIMARY KEY AUTOINCREMENT,
    channel TEXT NOT NULL,
    about TEXT NOT NULL,
    target TEXT NOT NULL,
    subject TEXT NOT NULL,
    queued_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    next_attempt_at INTEGER,
    delivered_at INTEGER,
    failed_at INTEGER,
    error TEXT NOT NULL DEFAULT '',
    content BLOB NOT NULL
);
INSERT INTO outbox
SELECT
    mail_id, 'mail', '', '', subject, queued_at, attempts, next_attempt_at, delivered_at, failed_at, error, content
FROM outbox_before;
-- Ids are not given twice, also where the last mails were taken away.
UPDATE sqlite_sequence
SET seq = (SELECT seq FROM sqlite_sequence WHERE name = 'outbox_before')
WHERE name = 'outbox' AND EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'outbox_before');
DROP TABLE outbox_before;
CREATE INDEX outbox_waiting ON outbox (channel, next_attempt_at) WHERE next_attempt_at IS NOT NULL;
CREATE INDEX outbox_pings ON outbox (about) WHERE channel = 'ping';

-- What goes wrong at present; value is JSON.
CREATE TABLE incidents (
    kind TEXT NOT NULL,
    about TEXT NOT NULL,
    place TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (kind, about, place)
);

-- How fast mails go to whom; both are JSON.
CREATE TABLE paces (
    recipients TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;
