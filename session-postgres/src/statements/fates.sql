-- Tells what has become of sessions.
-- $1 ids
-- Returns a row for each that is alive, with locked, whether it is, and left_ms, how long it lives and is not locked if
-- nobody uses it, or was renewed, but not by a login, with successor; in no order.
SELECT
    id,
    coalesce(last_seen + lock <= {now}, false) AS locked,
    greatest(least(expires, last_seen + lock) - {now}, 0) AS left_ms,
    NULL::uuid AS successor
FROM {schema}.session
WHERE id = ANY ($1) AND jsonb_typeof(data) = 'object' AND {now} < expires
UNION ALL
SELECT id, false, NULL, successor
FROM {schema}.marker
WHERE id = ANY ($1) AND NOT by_login AND {now} < until
