-- What the store asks of its file; each query goes from its name to the next.

-- name: last_starts
SELECT key, at, schedule FROM last_starts;

-- name: note_start
INSERT INTO last_starts (key, at, schedule) VALUES (?, ?, ?)
ON CONFLICT (key) DO UPDATE SET at = excluded.at, schedule = excluded.schedule;

-- name: move_start
INSERT INTO last_starts (key, at) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET at = excluded.at;

-- name: account_for
-- An instant that was due and is left out; what is accounted for never goes back.
UPDATE last_starts SET at = ?1 WHERE key = ?2 AND at < ?1;

-- name: retries
SELECT key, due, attempt, at FROM retries;

-- name: put_retry
-- Not where a later run has begun already, which takes its place.
INSERT OR REPLACE INTO retries (key, due, attempt, at)
SELECT ?1, ?2, ?3, ?4 WHERE NOT EXISTS (SELECT 1 FROM claims WHERE key = ?1);

-- name: drop_retry
DELETE FROM retries WHERE key = ?;

-- name: put_seen
INSERT OR REPLACE INTO seen_files (key, path, size, mtime_ns) VALUES (?, ?, ?, ?);

-- name: seen
SELECT path, size, mtime_ns FROM seen_files WHERE key = ?;

-- name: forget_seen
DELETE FROM seen_files WHERE key = ? AND path = ?;

-- name: claim_run
INSERT INTO claims (holder, run_id, key, title, due, reason, attempt, claimed_at, digest)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: claims
SELECT holder, run_id, key, title, due, reason, attempt, claimed_at, digest FROM claims ORDER BY claimed_at, run_id;

-- name: claims_of_others
-- Two ranges of the primary key, so that our own claims, which may be many, are not looked at.
SELECT holder, run_id, key, title, due, reason, attempt, claimed_at, digest FROM claims WHERE holder < :holder
UNION ALL
SELECT holder, run_id, key, title, due, reason, attempt, claimed_at, digest FROM claims WHERE holder > :holder;

-- name: drop_claim
DELETE FROM claims WHERE holder = ? AND run_id = ?;

-- name: drop_claim_of_any
DELETE FROM claims WHERE run_id = ?;

-- name: record_run
-- A run may be recorded twice: as interrupted, when it stopped being waited for, and when it ended after all.
INSERT INTO runs (
    run_id, key, title, due, reason, attempt, started_at, finished_at, outcome, returncode, host, digest, instants, error,
    output
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (run_id) DO UPDATE SET
    started_at = excluded.started_at,
    finished_at = excluded.finished_at,
    outcome = excluded.outcome,
    returncode = excluded.returncode,
    host = excluded.host,
    digest = excluded.digest,
    instants = excluded.instants,
    error = excluded.error,
    output = excluded.output;

-- name: runs
-- The latest, between two ids, of those that began (or, where they never did, were due) in a stretch of time.
SELECT
    run_id, key, title, due, reason, attempt, started_at, finished_at, outcome, returncode, host, digest, instants, error,
    '' AS output
FROM runs
WHERE
    id BETWEEN :first AND :last
    AND (:since IS NULL OR coalesce(started_at, due) >= :since)
    AND (:until IS NULL OR coalesce(started_at, due) < :until)
ORDER BY id DESC LIMIT :limit;

-- name: runs_of_key
SELECT
    run_id, key, title, due, reason, attempt, started_at, finished_at, outcome, returncode, host, digest, instants, error,
    '' AS output
FROM runs
WHERE
    key = :key
    AND id BETWEEN :first AND :last
    AND (:since IS NULL OR coalesce(started_at, due) >= :since)
    AND (:until IS NULL OR coalesce(started_at, due) < :until)
ORDER BY id DESC LIMIT :limit;

-- name: failed_runs
SELECT
    run_id, key, title, due, reason, attempt, started_at, finished_at, outcome, returncode, host, digest, instants, error,
    '' AS output
FROM runs
WHERE
    outcome IN ('failed', 'timed_out', 'interrupted')
    AND id BETWEEN :first AND :last
    AND (:since IS NULL OR coalesce(started_at, due) >= :since)
    AND (:until IS NULL OR coalesce(started_at, due) < :until)
ORDER BY id DESC LIMIT :limit;

-- name: failed_runs_of_key
SELECT
    run_id, key, title, due, reason, attempt, started_at, finished_at, outcome, returncode, host, digest, instants, error,
    '' AS output
FROM runs
WHERE
    key = :key
    AND outcome IN ('failed', 'timed_out', 'interrupted')
    AND id BETWEEN :first AND :last
    AND (:since IS NULL OR coalesce(started_at, due) >= :since)
    AND (:until IS NULL OR coalesce(started_at, due) < :until)
ORDER BY id DESC LIMIT :limit;

-- name: runs_onward
-- With their output, oldest first: a few at a time.
SELECT
    id, run_id, key, title, due, reason, attempt, started_at, finished_at, outcome, returncode, host, digest, instants,
    error, output
FROM runs WHERE id > :after AND id <= :last AND (:key IS NULL OR key = :key) ORDER BY id LIMIT 200;

-- name: last_id
SELECT max(id) FROM runs;

-- name: ended_at
-- The first run from an id on, and when it ended.
SELECT id, finished_at FROM runs WHERE id >= ? ORDER BY id LIMIT 1;

-- name: runs_beginning
SELECT
    run_id, key, title, due, reason, attempt, started_at, finished_at, outcome, returncode, host, digest, instants, error,
    output
FROM runs WHERE run_id >= ? AND run_id < ? ORDER BY run_id LIMIT 2;

-- name: last_runs
-- From each key's last run a seek to that of the key before: a step for each key, however many runs there are.
WITH RECURSIVE last (id) AS (
    SELECT (SELECT id FROM runs ORDER BY key DESC, id DESC LIMIT 1)
    UNION ALL
    SELECT (
        SELECT id FROM runs WHERE key < (SELECT key FROM runs WHERE id = last.id) ORDER BY key DESC, id DESC LIMIT 1
    )
    FROM last WHERE id IS NOT NULL
)
SELECT
    run_id, key, title, due, reason, attempt, started_at, finished_at, outcome, returncode, host, digest, instants, error,
    '' AS output
FROM last JOIN runs USING (id);

-- name: last_success
-- Back from the last run of the key; the index has them in this order.
SELECT finished_at FROM runs WHERE key = ? AND outcome = 'succeeded' ORDER BY id DESC LIMIT 1;

-- name: days
-- For each day, which has the ids from one up to another, how the last run ended, and how many went wrong.
SELECT
    (
        SELECT outcome FROM runs
        WHERE key = :key AND id >= json_extract(day.value, '$[0]') AND id < json_extract(day.value, '$[1]')
        ORDER BY id DESC LIMIT 1
    ),
    (
        SELECT count(*) FROM runs
        WHERE key = :key AND outcome IN ('failed', 'timed_out', 'interrupted')
            AND id >= json_extract(day.value, '$[0]') AND id < json_extract(day.value, '$[1]')
    )
FROM json_each(:days) AS day ORDER BY day.key;

-- name: took
SELECT finished_at - started_at FROM (
    SELECT started_at, finished_at, outcome FROM runs WHERE key = :key ORDER BY id DESC LIMIT :limit
) WHERE outcome = 'succeeded' AND started_at IS NOT NULL;

-- name: oldest_undelivered
SELECT min(queued_at) FROM outbox WHERE next_attempt_at IS NOT NULL;

-- name: put_mail
INSERT INTO outbox (channel, about, target, subject, content, queued_at, next_attempt_at) VALUES (?, ?, ?, ?, ?, ?, ?);

-- name: drop_pings
-- Only the latest says how things stand.
DELETE FROM outbox WHERE channel = 'ping' AND about = ?;

-- name: mails
SELECT
    mail_id, subject, content, queued_at, attempts, next_attempt_at, delivered_at, failed_at, error, channel, about,
    target
FROM outbox ORDER BY mail_id DESC LIMIT ?;

-- name: mail
SELECT
    mail_id, subject, content, queued_at, attempts, next_attempt_at, delivered_at, failed_at, error, channel, about,
    target
FROM outbox WHERE mail_id = ?;

-- name: due_mail
SELECT
    mail_id, subject, content, queued_at, attempts, next_attempt_at, delivered_at, failed_at, error, channel, about,
    target
FROM outbox WHERE channel = ? AND next_attempt_at <= ? ORDER BY next_attempt_at, mail_id LIMIT 1;

-- name: next_mail_at
SELECT min(next_attempt_at) FROM outbox WHERE channel = ? AND next_attempt_at IS NOT NULL;

-- name: undelivered
-- By channel how many wait, and how many were given up.
SELECT channel, count(next_attempt_at), count(failed_at) FROM outbox WHERE delivered_at IS NULL GROUP BY channel;

-- name: hasten_mails
UPDATE outbox SET next_attempt_at = ? WHERE next_attempt_at IS NOT NULL;

-- name: hasten_mail
UPDATE outbox SET next_attempt_at = ?, failed_at = NULL WHERE mail_id = ? AND delivered_at IS NULL;

-- name: mail_delivered
UPDATE outbox SET attempts = attempts + 1, next_attempt_at = NULL, delivered_at = ?, failed_at = NULL, error = ''
WHERE mail_id = ?;

-- name: mail_failed
UPDATE outbox SET attempts = attempts + 1, next_attempt_at = ?, failed_at = ?, error = ? WHERE mail_id = ?;

-- name: drop_delivered_ping
DELETE FROM outbox WHERE mail_id = ? AND channel = 'ping';

-- name: incidents
SELECT value FROM incidents ORDER BY rowid;

-- name: put_incident
INSERT INTO incidents (kind, about, place, value) VALUES (?, ?, ?, ?)
ON CONFLICT (kind, about, place) DO UPDATE SET value = excluded.value;

-- name: clear_incident
DELETE FROM incidents WHERE kind = ? AND about = ? AND place = ?;

-- name: paces
SELECT recipients, value FROM paces;

-- name: put_pace
INSERT INTO paces (recipients, value) VALUES (?, ?) ON CONFLICT (recipients) DO UPDATE SET value = excluded.value;

-- name: rejections
SELECT rd_id, path, digest, rejected_at, diagnostics, held_back FROM rejections ORDER BY rd_id;

-- name: put_rejection
INSERT OR REPLACE INTO rejections (rd_id, path, digest, rejected_at, diagnostics, held_back) VALUES (?, ?, ?, ?, ?, ?);

-- name: clear_rejection
DELETE FROM rejections WHERE rd_id = ?;

-- name: pauses
SELECT key, since, until, note, who FROM pauses ORDER BY key;

-- name: put_pause
INSERT OR REPLACE INTO pauses (key, since, until, note, who) VALUES (?, ?, ?, ?, ?);

-- name: clear_pause
-- Not where another has taken its place.
DELETE FROM pauses WHERE key = ? AND since = ?;

-- name: put_version
INSERT OR IGNORE INTO versions (rd_id, digest, at, content) VALUES (?, ?, ?, ?);

-- name: version
SELECT content FROM versions WHERE rd_id = ? AND digest = ?;

-- name: note_edit
-- Where this version is another than the last that was accepted.
INSERT INTO deeds (at, who, what, about, detail)
SELECT ?1, ?2, CASE WHEN EXISTS (SELECT 1 FROM digests WHERE rd_id = ?3) THEN 'edited' ELSE 'added' END, ?3, ?5
WHERE NOT EXISTS (SELECT 1 FROM digests WHERE rd_id = ?3 AND digest = ?4);

-- name: put_digest
INSERT INTO digests (rd_id, digest) VALUES (?, ?) ON CONFLICT (rd_id) DO UPDATE SET digest = excluded.digest;

-- name: note_removal
INSERT INTO deeds (at, who, what, about, detail)
SELECT ?1, '', 'removed', ?2, '' WHERE EXISTS (SELECT 1 FROM digests WHERE rd_id = ?2);

-- name: drop_digest
DELETE FROM digests WHERE rd_id = ?;

-- name: put_deed
INSERT INTO deeds (at, who, what, about, detail) VALUES (?, ?, ?, ?, ?);

-- name: deeds
-- Those about an RD are about its executes, too.
SELECT at, who, what, about, detail FROM deeds
WHERE (:about IS NULL OR about = :about OR about = :rd_id) AND (:since IS NULL OR at >= :since)
ORDER BY id DESC LIMIT :limit;

-- name: count_runs
SELECT count(*) FROM runs;

-- name: last_rows
-- As last_runs, without what is known of the runs.
WITH RECURSIVE last (id) AS (
    SELECT (SELECT id FROM runs ORDER BY key DESC, id DESC LIMIT 1)
    UNION ALL
    SELECT (
        SELECT id FROM runs WHERE key < (SELECT key FROM runs WHERE id = last.id) ORDER BY key DESC, id DESC LIMIT 1
    )
    FROM last WHERE id IS NOT NULL
)
SELECT id, key, outcome FROM last JOIN runs USING (id);

-- name: last_success_row
SELECT id FROM runs WHERE key = ? AND outcome = 'succeeded' ORDER BY id DESC LIMIT 1;

-- name: runs_by_age
SELECT id, finished_at, outcome FROM runs WHERE id > ? ORDER BY id LIMIT 1000;

-- name: drop_run
DELETE FROM runs WHERE id = ?;

-- name: drop_mails
DELETE FROM outbox
WHERE mail_id IN (SELECT mail_id FROM outbox WHERE delivered_at < ?1 OR failed_at < ?2 ORDER BY mail_id LIMIT ?3);

-- name: drop_deeds
DELETE FROM deeds WHERE id IN (SELECT id FROM deeds WHERE at < ? ORDER BY id LIMIT ?);

-- name: drop_versions
-- Those that no run is left of, unless they are new.
DELETE FROM versions
WHERE rowid IN (
    SELECT rowid FROM versions AS old
    WHERE at < ? AND NOT EXISTS (
        SELECT 1 FROM runs WHERE key >= old.rd_id || '#' AND key < old.rd_id || '$' AND digest = old.digest
    )
    LIMIT ?
);
