-- Work that is to be done once: by whom, and whether it is done.
--
-- Times are milliseconds since 1970. The collation keeps names apart byte by byte, and an update of the system's
-- collations harms no index.
CREATE TABLE {schema}.work (
    name text COLLATE "C" PRIMARY KEY,
    claim uuid NOT NULL,
    until bigint NOT NULL,
    done bigint
);
