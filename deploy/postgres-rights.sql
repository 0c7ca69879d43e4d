-- The account that Pilotway works with, beside the owner that `pilotway init` and `pilotway migrate` use: it reads and writes
-- rows and changes no table, no trigger and no account. The owner runs this after each of the two:
--   psql -v ON_ERROR_STOP=1 -f deploy/postgres-rights.sql OWNERS-ADDRESS
-- Give it a password or a certificate of its own, and leave the owner's out of PILOTWAY_DB.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'pilotway_work') THEN
        CREATE ROLE pilotway_work LOGIN;
    END IF;
END
$$;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO pilotway_work;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO pilotway_work;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO pilotway_work;
