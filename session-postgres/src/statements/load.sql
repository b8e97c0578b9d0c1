-- Reads the live ones of some sessions, and what is known of those that were renewed.
-- $1 ids
-- Returns a row for each, in no order; that of a renewed one has a successor and no data.
SELECT
    id, data::text AS data, version, user_id, created, last_seen, idle_timeout, absolute_end, lock, about::text AS about,
    seal, renewal, coalesce(renewed, created) AS renewed, {now} AS loaded_at, NULL::uuid AS successor, NULL::bytea AS nonce
FROM {schema}.session
WHERE id = ANY ($1) AND {now} < expires
UNION ALL
SELECT
    id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
    NULL, NULL, until - {marker_ms}, {now}, successor, nonce
FROM {schema}.marker
WHERE id = ANY ($1) AND {now} < until
