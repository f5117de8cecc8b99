-- Reference data: days, terms and regions as laws and offices set them.

-- The current day in the time zone of the installation. No event may have occurred after it.
create function app.today() returns date language sql stable
  return (app.now() at time zone (select time_zone from public.installation))::date;
grant execute on function app.today() to app, definer;

-- The length of a term in hours, days, months or years. Null for working days, which app.term_end counts on a calendar.
create function app.term(name text) returns interval language sql stable return (
  select (value || ' ' || unit)::interval from public.terms where term = name and unit <> 'working_days');
grant execute on function app.term(text) to app, definer;

-- The day on which a term ends that begins on this day; null if it does not exist. Working days are Monday to Friday.
create function app.term_end(day date, p_term text) returns date
language sql stable security definer set search_path = '' return (
  select case
    when t.unit <> 'working_days' then (day + (t.value || ' ' || t.unit)::interval)::date
    else (select d::date from generate_series(day + 1, day + t.value * 2 + 3, interval '1 day') d
      where extract(isodow from d) < 6
      order by d offset t.value - 1 limit 1) end
  from public.terms t where t.term = p_term);
grant execute on function app.term_end(date, text) to app;

-- The instant at which a day ends in the time zone of the installation.
create function app.end_of(day date) returns timestamptz language sql stable return
  (day + 1)::timestamp at time zone (select time_zone from public.installation);
grant execute on function app.end_of(date) to app, definer;

-- The region that this one was cut out of, or itself: one code for all regions that were once one.
create function app.joined_region(p_code text) returns text
language sql stable security definer set search_path = '' as $$
  with recursive before(code, predecessor) as (
    select code, predecessor from public.regions where code = p_code
    union all
    select r.code, r.predecessor from before b join public.regions r on r.code = b.predecessor)
  select code from before where predecessor is null
$$;
grant execute on function app.joined_region(text) to app;

-- Every caller reads all reference data, also before sign-in. Only the role owner writes it.
grant select on installation to app;
create policy public_knowledge on installation for select to app using (true);
grant select on regions to app;
create policy public_knowledge on regions for select to app using (true);
grant select on former_region_names to app;
create policy public_knowledge on former_region_names for select to app using (true);
grant select on codes to app;
create policy public_knowledge on codes for select to app using (true);
grant select on terms to app;
create policy public_knowledge on terms for select to app using (true);
grant select on thresholds to app;
create policy public_knowledge on thresholds for select to app using (true);
grant select on purposes to app;
create policy public_knowledge on purposes for select to app using (true);
grant select on consent_forms to app;
create policy public_knowledge on consent_forms for select to app using (true);
grant select on retention_rules to app;
create policy public_knowledge on retention_rules for select to app using (true);

-- The version of the consent form that is current: the greatest by its numbers.
create function app.current_form() returns text language sql stable security definer set search_path = '' return (
  select f.version from public.consent_forms f
  order by array(select m[1]::int from regexp_matches(f.version, '\d+', 'g') m) desc limit 1);

-- A legal basis with the current form, if it is a consent that names no form.
create function app.with_form(basis jsonb) returns jsonb
language sql stable security definer set search_path = '' return
  case when basis ->> 'kind' = 'consent' and not basis ? 'formVersion'
    then basis || jsonb_build_object('formVersion', app.current_form()) else basis end;
