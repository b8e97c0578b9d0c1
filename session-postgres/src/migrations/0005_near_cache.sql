-- Near caches of instances: since when they want to be told of what changes, and until when (milliseconds since 1970).
CREATE TABLE {schema}.near_cache (
    id uuid PRIMARY KEY,
    since bigint NOT NULL,
    until bigint NOT NULL
);
