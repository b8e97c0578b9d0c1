-- Ends a user's sessions but for one, under whatever id that one has by now if it was renewed, but not by a login.
-- $1 user, $2 id of the session to spare or NULL
-- Returns how many of them were alive.
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
    RETURNING expires
)
SELECT count(*) FILTER (WHERE {now} < expires) AS count FROM ended
