-- Ends some of the sessions that began before a time.
-- $1 the time or NULL for now, $2 the id after which to look, $3 how many at most
-- Tells all instances. Returns the time as started, the last id that was found as id, if any was, and the count of those
-- ended that were alive.
--
-- One that is renewed at the same moment is found or not, and not ended: so this is done until nothing is found.
WITH clock AS MATERIALIZED (
    SELECT coalesce($1::bigint, {now}) AS started
), found AS MATERIALIZED (
    SELECT session.id
    FROM {schema}.session, clock
    WHERE session.id > $2 AND session.created <= clock.started
    ORDER BY session.id
    LIMIT $3
), ended AS (
    DELETE FROM {schema}.session USING found WHERE session.id = found.id RETURNING session.id, {now} < expires AS alive
), told AS MATERIALIZED (
    -- A notification has room for 216 ids.
    SELECT count(*) FILTER (WHERE alive) AS alive, pg_notify('{changes}', string_agg(id::text, ' ')) AS notification
    FROM (SELECT id, alive, row_number() OVER () / 200 AS part FROM ended) AS parts
    GROUP BY part
)
SELECT
    (SELECT started FROM clock) AS started,
    (SELECT id FROM found ORDER BY id DESC LIMIT 1) AS id,
    (SELECT coalesce(sum(alive), 0)::bigint FROM told) AS count
