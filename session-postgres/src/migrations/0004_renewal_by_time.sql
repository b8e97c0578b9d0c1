-- Renewal by time: how old a session's token becomes (milliseconds), when it got it unless that was when it began, and
-- what makes the next token out of the old one.
ALTER TABLE {schema}.session ADD COLUMN renewal bigint, ADD COLUMN renewed bigint;

ALTER TABLE {schema}.marker ADD COLUMN nonce bytea;

-- As before, but that locked sessions do not count, for they have idled out, and that activity under way is waited for: a
-- session may be about to live on that seems to have expired.
CREATE OR REPLACE FUNCTION {schema}.make_room(login_user text, login_class text, most int, end_oldest boolean, own uuid)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    others int;
    victim uuid;
BEGIN
    PERFORM 1
    FROM {schema}.session
    WHERE user_id = login_user AND {now} < absolute_end AND id <> own
    ORDER BY id
    FOR UPDATE;
    SELECT count(*) INTO others
    FROM {schema}.session
    WHERE user_id = login_user AND coalesce(about ->> 'class', '') = login_class AND {now} < expires AND id <> own
            AND NOT coalesce(last_seen + lock <= {now}, false);
    IF others < most THEN
        RETURN true;
    ELSIF most = 0 OR NOT end_oldest THEN
        RETURN false;
    END IF;
    others := 0;
    -- Each is locked and looked at again before it is told: so a session that is renewed at the same moment is found
    -- under its new id, and one that ended is not counted.
    FOR victim IN
        SELECT id
        FROM {schema}.session
        WHERE user_id = login_user AND coalesce(about ->> 'class', '') = login_class AND {now} < expires AND id <> own
            AND NOT coalesce(last_seen + lock <= {now}, false)
        ORDER BY created DESC, id DESC
        FOR UPDATE
    LOOP
        others := others + 1;
        IF others >= most THEN
            DELETE FROM {schema}.session WHERE id = victim;
            -- All instances are told, as by end.sql.
            PERFORM pg_notify('{changes}', victim::text);
        END IF;
    END LOOP;
    RETURN true;
END
$$;
