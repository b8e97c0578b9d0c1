-- What a login said of itself, the lock, and what values are sealed with.
--
-- `about` is JSON text of the layer's; the server looks at its class only. `lock` is milliseconds.
ALTER TABLE {schema}.session ADD COLUMN about jsonb, ADD COLUMN lock bigint, ADD COLUMN seal bytea;

-- Whether one more session of a user's and a class may begin; if the oldest are to make room, it ends them. The session
-- `own` goes on as the new one and does not count.
--
-- A function, for its statements see what was committed while the lock was waited for, which a statement that waits
-- does not. Whoever calls it has to have locked the user before any session: else two logins wait for each other.
CREATE FUNCTION {schema}.make_room(login_user text, login_class text, most int, end_oldest boolean, own uuid)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    others int;
    victim uuid;
BEGIN
    SELECT count(*) INTO others
    FROM {schema}.session
    WHERE user_id = login_user AND coalesce(about ->> 'class', '') = login_class AND {now} < expires AND id <> own;
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
