WITH old AS (SELECT id FROM session.session WHERE later = '' ORDER BY id FOR UPDATE),
extended AS (UPDATE session.session SET later = 'later' FROM old WHERE session.id = old.id RETURNING 1)
SELECT count(*) FROM extended
