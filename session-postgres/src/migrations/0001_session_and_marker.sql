-- Sessions, and the markers that renewals leave.
--
-- Times are milliseconds since 1970, idle_timeout is milliseconds: Postgres allows a generated column only expressions
-- that never depend on a setting, and arithmetic on timestamptz depends on the time zone.
-- `SELECT to_timestamp(created / 1000.0)` shows one.
CREATE TABLE {schema}.session (
    id uuid PRIMARY KEY,
    -- Key -> JSON string that holds the value's JSON text: it comes back byte for byte, and an escaped U+0000 in it,
    -- which jsonb refuses, is plain text.
    data jsonb NOT NULL,
    version bigint NOT NULL,
    user_id text,
    created bigint NOT NULL,
    last_seen bigint NOT NULL,
    idle_timeout bigint NOT NULL,
    absolute_end bigint NOT NULL,
    expires bigint NOT NULL GENERATED ALWAYS AS (least(absolute_end, last_seen + idle_timeout)) STORED,
    -- `expires` in steps of ten minutes. An index on `expires` itself would make every touch write to every index.
    expiry_bucket bigint NOT NULL
        GENERATED ALWAYS AS (least(absolute_end, last_seen + idle_timeout) / {bucket_ms}) STORED
) WITH (
    -- Room in each page for the next version of its rows.
    fillfactor = 75,
    autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_vacuum_cost_delay = 0,
    toast.autovacuum_vacuum_scale_factor = 0.02,
    toast.autovacuum_vacuum_cost_delay = 0
);

CREATE INDEX session_user_id ON {schema}.session (user_id, id) WHERE user_id IS NOT NULL;

CREATE INDEX session_expiry_bucket ON {schema}.session (expiry_bucket);

CREATE TABLE {schema}.marker (
    id uuid PRIMARY KEY,
    successor uuid NOT NULL,
    by_login boolean NOT NULL,
    until bigint NOT NULL
);

CREATE INDEX marker_until ON {schema}.marker (until);
