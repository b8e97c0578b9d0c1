-- Renewal by time: how old a session's token becomes (milliseconds), when it got it unless that was when it began, and
-- what makes the next token out of the old one.
ALTER TABLE {schema}.session ADD COLUMN renewal bigint, ADD COLUMN renewed bigint;

ALTER TABLE {schema}.marker ADD COLUMN nonce bytea;
