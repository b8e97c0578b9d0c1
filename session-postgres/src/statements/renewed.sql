-- Looks for a renewal that was done already.
-- $1 old id, $2 new id
-- Returns the version, or no row if there was no such renewal or its session is not alive.
SELECT session.version
FROM {schema}.marker JOIN {schema}.session ON session.id = marker.successor
WHERE marker.id = $1 AND marker.successor = $2 AND {now} < marker.until AND {now} < session.expires
