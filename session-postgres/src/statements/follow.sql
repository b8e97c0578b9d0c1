-- Follows renewals that were no login.
-- $1 id
-- Returns the last id they lead to, or no row if there is none.
WITH RECURSIVE chain (id, step) AS (
    SELECT $1::uuid, 0
    UNION ALL
    SELECT marker.successor, chain.step + 1
    FROM chain JOIN {schema}.marker ON marker.id = chain.id
    -- No chain of live markers is a ring; the limit is there for one made by hand.
    WHERE NOT marker.by_login AND {now} < marker.until AND chain.step < 1000
)
SELECT id FROM chain WHERE step > 0 ORDER BY step DESC LIMIT 1
