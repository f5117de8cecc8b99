-- What laws and offices change: codes, terms, regions; each row with its source and whether somebody verified it.
create table installation (
  only_one boolean primary key default true check (only_one),
  country text not null check (country ~ '^[A-Z]{2}$'),
  time_zone text not null
);

create table regions (
  code text primary key,
  kato text not null,
  label_en text not null, label_ru text not null, label_kk text not null,
  centre text not null,
  valid daterange not null,
  predecessor text references regions,
  note text not null,
  time_zone text not null,
  source text not null,
  verified boolean not null
);

-- The names that a region bore for a time; outside these times it bears the one above.
create table former_region_names (
  code text not null references regions,
  label_en text not null, label_ru text not null, label_kk text not null,
  valid daterange not null,
  primary key (code, valid)
);

create table codes (
  list text not null,
  code text not null,
  position int not null,
  label_en text not null, label_ru text not null, label_kk text not null,
  polarity text check (polarity in ('positive', 'neutral', 'negative')),
  needs_document boolean,
  needs_state boolean, -- the outcome speaks of a State
  sensitive boolean,
  source text not null,
  verified boolean not null,
  primary key (list, code)
);

create table terms (
  term text primary key,
  unit text not null check (unit in ('hours', 'days', 'working_days', 'months', 'years')),
  value int not null check (value > 0),
  label_en text not null, label_ru text not null, label_kk text not null,
  source text not null,
  verified boolean not null
);

call app.guard(array['installation', 'regions', 'former_region_names', 'codes', 'terms']::regclass[]);
grant select on installation, regions, former_region_names, codes, terms to app;
create policy public_knowledge on installation for select to app using (true);
create policy public_knowledge on regions for select to app using (true);
create policy public_knowledge on former_region_names for select to app using (true);
create policy public_knowledge on codes for select to app using (true);
create policy public_knowledge on terms for select to app using (true);

-- The day on which the installation is: nothing may be said to have happened after it.
create function app.today() returns date language sql stable
  return (app.now() at time zone (select time_zone from public.installation))::date;

-- A term that counts in hours, days, months or years. Working days need a calendar, and are counted elsewhere.
create function app.term(name text) returns interval language sql stable
  return (select (value || ' ' || unit)::interval from public.terms where term = name and unit <> 'working_days');

grant execute on function app.today(), app.term(text) to app, definer;
