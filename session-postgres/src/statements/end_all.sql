-- Ends a user's sessions but for one, under whatever id that one has by now if it was renewed, but not by a login.
-- $1 user, $2 id of the session to spare or NULL
-- Tells all instances. Returns how many of them were alive.
--
-- A session that is being renewed meanwhile is waited for and then ended too: the renewal keeps the row and its user,
-- and DELETE looks at the row's newest version.
WITH RECURSIVE spared (id, step) AS (
    SELECT $2::uuid, 0
    UNION ALL
    SELECT marker.successor, spared.step + 1
    FROM spared JOIN {schema}.marker ON marker.id = spared.id
    WHERE NOT marker.by_login AND {now} < marker.until AND spared.step < 1000
), ended AS (
    DELETE FROM {schema}.session
    WHERE user_id = $1 AND NOT EXISTS (SELECT FROM spared WHERE spared.id = session.id)
    RETURNING id, {now} < expires AS alive
), told AS MATERIALIZED (
    -- A notification has room for 216 ids.
    SELECT count(*) FILTER (WHERE alive) AS alive, pg_notify('{changes}', string_agg(id::text, ' ')) AS notification
    FROM (SELECT id, alive, row_number() OVER () / 200 AS part FROM ended) AS parts
    GROUP BY part
)
SELECT coalesce(sum(alive), 0)::bigint AS count FROM told
