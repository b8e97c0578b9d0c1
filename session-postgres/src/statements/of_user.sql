-- Lists a user's live sessions in the order of their ids.
-- $1 user, $2 the id after which to begin or NULL, $3 the most to return
-- Returns a row for each.
SELECT id, created, last_seen, idle_timeout, absolute_end, about::text AS about
FROM {schema}.session
WHERE user_id = $1 AND jsonb_typeof(data) = 'object' AND ($2::uuid IS NULL OR $2 < id) AND {now} < expires
ORDER BY id
LIMIT $3
