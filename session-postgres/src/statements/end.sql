-- Ends sessions, and tells all instances.
-- $1 ids
-- Returns the id of each that was there; in no order.
WITH locked AS MATERIALIZED (
    SELECT id FROM {schema}.session WHERE id = ANY ($1) ORDER BY id FOR UPDATE OF session
), ended AS (
    DELETE FROM {schema}.session USING locked WHERE session.id = locked.id RETURNING session.id
), told AS MATERIALIZED (
    SELECT pg_notify('{changes}', string_agg(id::text, ' ')) FROM ended HAVING count(*) > 0
)
SELECT id, (SELECT count(*) FROM told) AS notifications FROM ended
