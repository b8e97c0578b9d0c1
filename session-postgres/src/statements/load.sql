-- Reads the live ones of some sessions.
-- $1 ids
-- Returns a row for each, in no order.
SELECT id, data::text AS data, version, user_id, created, last_seen, idle_timeout, absolute_end, {now} AS loaded_at
FROM {schema}.session
WHERE id = ANY ($1) AND {now} < expires
