-- The three roles. Created once per cluster by a role that may create roles: by the embedded cluster, by the tests, or
-- with psql -f on a cluster of your own. `owner` runs the migrations; `app` is the role of the service; `definer` owns
-- the security definer functions and cannot sign in.
create role owner login nosuperuser nobypassrls;
create role app login nosuperuser nobypassrls;
create role definer nologin nosuperuser nobypassrls;
grant definer to owner with inherit false, set true;

-- The database itself ends a statement, a lock wait or an idle transaction that takes longer than a person waits.
alter role app set statement_timeout = '8s';
alter role app set lock_timeout = '4s';
alter role app set idle_in_transaction_session_timeout = '10s';
-- Prepared statements are planned once, so every organisation gets the same plan (measured, see the benchmarks).
alter role app set plan_cache_mode = 'force_generic_plan';
alter role app set jit = off;
