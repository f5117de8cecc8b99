-- The three roles, made once for a cluster by somebody who may (embedded, tests, or psql -f on one of your own).
-- owner migrates; app serves; definer owns the few security definer functions and cannot sign in.
create role owner login nosuperuser nobypassrls;
create role app login nosuperuser nobypassrls;
create role definer nologin nosuperuser nobypassrls;
grant definer to owner with inherit false, set true;

-- A statement, a lock or a silence that takes longer than a person waits is ended by the database itself.
alter role app set statement_timeout = '8s';
alter role app set lock_timeout = '4s';
alter role app set idle_in_transaction_session_timeout = '10s';
-- The same plans for every organisation: prepared statements are planned once (measured, see the benchmarks).
alter role app set plan_cache_mode = 'force_generic_plan';
alter role app set jit = off;
