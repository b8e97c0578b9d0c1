-- Reads the live ones of some sessions, and tells those that were just renewed.
-- $1 ids
-- Returns a row for each, in no order; that of a renewed one has only an id.
SELECT
    id, data::text AS data, version, user_id, created, last_seen, idle_timeout, absolute_end, lock, about::text AS about,
    seal, {now} AS loaded_at
FROM {schema}.session
WHERE id = ANY ($1) AND {now} < expires
UNION ALL
SELECT id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM {schema}.marker
WHERE id = ANY ($1) AND {now} < until - {marker_ms} + {just_renewed_ms}
