-- Which groups of a whole campaign a report may name: persons are told in batches. docs/figures.md describes the rule,
-- and why no person can be found in the figures.

-- The first instant of the month of an instant, by the clock of the installation.
create function app.month_begin(p_instant timestamptz) returns timestamptz language sql stable return
  (select date_trunc('month', p_instant at time zone i.time_zone) at time zone i.time_zone from public.installation i);
grant execute on function app.month_begin(timestamp with time zone) to app, definer;
-- The last day of the month before a day.
create function app.month_end_before(p_day date) returns date language sql immutable return
  date_trunc('month', p_day::timestamp)::date - 1;
grant execute on function app.month_end_before(date) to app, definer;

-- Refuses groups of a whole campaign at other times than the last day of a month that is over, as known at the first
-- instant of a month. The message names the nearest two.
create function app.require_months(p_as_of date, p_known_at timestamptz) returns void language plpgsql stable as $$
declare
  latest date := app.month_end_before(app.today());
  next_end date := app.month_end_before((least(p_as_of, latest + 1)::timestamp + interval '1 month')::date);
  begun timestamptz := app.month_begin(p_known_at);
  next_begin timestamptz := app.month_begin(begun + interval '32 days');
begin
  if p_as_of > latest then
    perform app.refuse('invalid-request', format(
      'Groups with scope=campaign need the last day of a month that is over: %s, or %s from the day after', latest,
      next_end), '#/query/asOf');
  elsif p_as_of <> next_end then
    perform app.refuse('invalid-request', format(
      'Groups with scope=campaign need the last day of a month: %s or %s', app.month_end_before(p_as_of), next_end),
      '#/query/asOf');
  elsif p_known_at <> begun then
    perform app.refuse('invalid-request', format(
      'Groups with scope=campaign need the first instant of a month: %s%s %s', app.rfc3339(begun),
      case when next_begin > app.now() then ', or later' else ' or' end, app.rfc3339(next_begin)), '#/query/knownAt');
  end if;
end $$;
grant execute on function app.require_months(date, timestamp with time zone) to app, definer;

-- The months of a campaign until p_known_at, to number days and instants with width_bucket. days: the first day of each
-- month. instants: just after the first instant of each month, so that fewer months than all begin before an instant
-- that is not after p_known_at.
create function app.report_months(p_campaign uuid, p_known_at timestamptz, out days date[], out instants timestamptz[])
language sql stable parallel safe as $$
  select array_agg(m::date order by m),
    array_agg((m at time zone i.time_zone) + interval '1 microsecond' order by m)
  from public.campaigns c, public.installation i, generate_series(
    date_trunc('month', c.starts_on::timestamp), date_trunc('month', p_known_at at time zone i.time_zone),
    interval '1 month') m
  where c.id = p_campaign
$$;
grant execute on function app.report_months(uuid, timestamp with time zone) to definer;

-- How persons entered the groups of a campaign, by month: the group is the first value of the dimension that was on
-- record (a case without an outcome enters when it is decided). Later corrections and annulments do not move a person.
-- on_month, at_month: when the value had occurred and was on record; documented_on, documented_at: the same of the
-- document, null if there is none at p_known_at. erased: sex and age were erased since. persons: how many are alike.
create function app.group_entries(p_campaign uuid, p_as_of date, p_known_at timestamptz, p_dimension text)
returns table (owner_id uuid, key text, on_month int, at_month int, documented_on int, documented_at int,
  erased boolean, persons int)
language sql stable parallel safe as $$
  with corrected as materialized (
    select distinct f.case_id from public.case_figures f
    where f.campaign_id = p_campaign and (f.until_on < 'infinity' or f.until_at < 'infinity')),
  facts as not materialized ( -- most cases have one row, and are counted without a copy of it
    select f.case_id, c.case_id is not null as corrected, f.owner_id, f.documented_on, f.documented_at,
      app.value_of(f, p_dimension) as said,
      case p_dimension when 'outcome' then f.decided_on else f.from_on end as said_on,
      case
        when p_dimension = 'outcome' then f.decided_at
        when p_dimension in ('sex', 'ageGroup') then greatest(f.identity_at, f.from_at)
          + case when f.identity_at is null then interval 'infinity' else '0' end
        else f.from_at end as said_at,
      p_dimension in ('sex', 'ageGroup') and f.identity_at is not null and f.sex is null as erased
    from public.case_figures f left join corrected c on c.case_id = f.case_id
    where f.campaign_id = p_campaign and f.from_at <= p_known_at),
  several as materialized (select f.* from facts f where f.corrected),
  firsts as (
    select f.said, f.owner_id, f.said_on, f.said_at, f.documented_on, f.documented_at, f.erased
    from facts f where not f.corrected
    union all
    select v.said, v.owner_id, v.said_on, v.said_at, d.documented_on, d.documented_at, v.erased
    from (
      select distinct on (f.case_id) f.* from several f
      where f.said_on is not null and f.said_at < 'infinity'
      order by f.case_id, f.said_at, f.said_on) v
      left join (
        select distinct on (f.case_id) f.* from several f
        where f.documented_at is not null
        order by f.case_id, f.documented_at, f.documented_on) d on d.case_id = v.case_id),
  kinds as materialized (
    select f.said, f.owner_id, width_bucket(f.said_on, m.days) as on_month,
      width_bucket(f.said_at, m.instants) as at_month, width_bucket(f.documented_on, m.days) as documented_on,
      width_bucket(f.documented_at, m.instants) as documented_at, f.erased, count(*) as persons,
      cardinality(m.instants) as months
    from firsts f, app.report_months(p_campaign, p_known_at) m
    group by 1, 2, 3, 4, 5, 6, 7, m.instants)
  select k.owner_id, app.report_key(p_dimension, k.said, g.key), k.on_month, k.at_month,
    case when d.known then greatest(k.on_month, k.documented_on) end,
    case when d.known then greatest(k.at_month, k.documented_at) end, k.erased, sum(k.persons)::int
  from kinds k
    left join app.report_keys(p_dimension, 'recorded', p_as_of) g on g.said = k.said,
    lateral (select coalesce(k.documented_at < k.months, false) as known) d
  where k.at_month < k.months
  group by 1, 2, 3, 4, 5, 6, 7
$$;
grant execute on function app.group_entries(uuid, date, timestamp with time zone, text) to definer;

-- Adds to what waits in a batch; a batch that has p_least is full, and the next one begins.
create function app.fill(p_waiting int, p_more int, p_least int) returns int language sql immutable parallel safe
  return case when p_waiting >= p_least then 0 else p_waiting end + p_more;
grant execute on function app.fill(integer, integer, integer) to definer;
-- The size of the batch that is being filled after each row.
create aggregate app.filling(int, int) (sfunc = app.fill, stype = int, initcond = '0', parallel = safe);
grant execute on function app.filling(integer, integer) to definer;

-- The number of each group of a whole campaign that may be told, before app.pooled: the sum of the batches that are
-- full by p_as_of, as known at p_known_at. Persons enter a batch in the order in which their group came on record, by
-- month, until it has smallest_group times pooled_groups. In a batch, an organisation with so many persons is a part of
-- its own, and the others are one part together; a committee and its divisions are one organisation here. The
-- documented persons of a part are told in batches of the same size, as long as so many are left that are not
-- documented. What is told at once, and what is left, must have smallest_group persons outside its largest group, also
-- without all persons of any one organisation, which knows its own. Each condition is the same whoever asks, and if any
-- two persons who are told together are exchanged.
create function app.told_groups(
  p_campaign uuid, p_as_of date, p_known_at timestamptz, p_dimension text, p_map text)
returns setof app.figure language sql stable parallel safe
set enable_nestloop = off set enable_mergejoin = off as $$ -- the planner cannot know how few the batches are
  with rule as materialized (
    select t.least, t.least * t.several as enough, uuid '00000000-0000-0000-0000-000000000000' as nobody,
      width_bucket(p_as_of, m.days) as month
    from (
      select max(value) filter (where threshold = 'smallest_group')::int as least,
        max(value) filter (where threshold = 'pooled_groups')::int as several
      from public.thresholds) t, app.report_months(p_campaign, p_known_at) m),
  entries as materialized (
    -- Regions that were once one count as one.
    select e.*, coalesce(g.key, e.key) as family, coalesce(o.parent_id, o.id) as house,
      o.kind in ('committee', 'division') as has_divisions
    from app.group_entries(p_campaign, p_as_of, p_known_at, p_dimension) e
      join public.organisations o on o.id = e.owner_id
      left join app.report_keys('region', 'joined', p_as_of) g on p_dimension = 'region' and g.said = e.key),
  months as (
    select e.at_month, e.on_month,
      app.filling(sum(e.persons)::int, r.enough) over (order by e.at_month, e.on_month) as filling
    from entries e, rule r
    group by e.at_month, e.on_month, r.enough),
  numbered as (
    select m.*, count(*) filter (where m.filling >= r.enough) over (
      order by m.at_month, m.on_month rows between unbounded preceding and 1 preceding) as batch
    from months m, rule r),
  batches as (
    select n.batch, max(n.on_month) as on_month, max(n.at_month) as at_month
    from numbered n, rule r
    group by n.batch, r.enough
    having max(n.filling) >= r.enough),
  -- All persons of an organisation without divisions are in one group of the dimension division.
  parted as materialized (
    select b.batch, e.*, b.on_month as told_on, b.at_month as told_at, case
        when sum(e.persons) over (partition by b.batch, e.house) >= r.enough
          and (p_dimension <> 'division' or e.has_divisions) then e.house
        else r.nobody end as part
    from entries e
      join numbered n on (n.at_month, n.on_month) = (e.at_month, e.on_month)
      join batches b on b.batch = n.batch, rule r),
  documents as (
    select p.batch, p.part, p.documented_at, p.documented_on, sum(p.persons)::int as persons
    from parted p where p.documented_at is not null group by 1, 2, 3, 4),
  sizes as (
    select p.batch, p.part, sum(p.persons)::int as persons from parted p group by 1, 2),
  left_over as (
    select d.*, s.persons - sum(d.persons) over (
      partition by d.batch, d.part order by d.documented_at, d.documented_on) as remaining
    from documents d join sizes s on (s.batch, s.part) = (d.batch, d.part)),
  document_months as (
    select l.*, app.filling(l.persons, r.enough) over (
      partition by l.batch, l.part order by l.documented_at, l.documented_on) as filling
    from left_over l, rule r where l.remaining >= r.enough),
  document_batches as materialized (
    select m.*, 1 + count(*) filter (where m.filling >= r.enough) over (
        partition by m.batch, m.part order by m.documented_at, m.documented_on
        rows between unbounded preceding and 1 preceding) as step,
      count(*) filter (where m.filling >= r.enough) over (partition by m.batch, m.part) as steps
    from document_months m, rule r),
  -- step: the batch of documents that a person belongs to; null if to none.
  stepped as materialized (
    select p.*, case when d.step <= d.steps then d.step end as step
    from parted p left join document_batches d
      on (d.batch, d.part, d.documented_at, d.documented_on) = (p.batch, p.part, p.documented_at, p.documented_on)),
  -- Everybody of a part is step 0; what a batch of documents leaves has a negative number.
  sets as materialized (
    select s.batch, s.part, n.number, s.house, s.family, bool_or(s.erased) as erased, sum(s.persons)::int as persons
    from stepped s
      join (select batch, part, max(step) as last from stepped group by 1, 2) l
        on (l.batch, l.part) = (s.batch, s.part),
      lateral (
        select 0 as number
        union all select s.step where s.step is not null
        union all select -k from generate_series(1, coalesce(s.step - 1, l.last)) k) n
    group by 1, 2, 3, 4, 5),
  outside as (
    select f.batch, f.part, f.number, bool_or(f.erased) as erased, sum(f.persons) as persons,
      sum(f.persons) - case when p_dimension = 'month' then 0 else max(f.persons) end as outside
    from (
      select batch, part, number, family, bool_or(erased) as erased, sum(persons) as persons
      from sets group by 1, 2, 3, 4) f
    group by 1, 2, 3),
  largest as (
    select o.batch, o.part, o.number, coalesce(max(h.persons) filter (where h.persons < o.persons), 0) as own
    from outside o
      join (select batch, part, number, house, sum(persons) as persons from sets group by 1, 2, 3, 4) h
        on (h.batch, h.part, h.number) = (o.batch, o.part, o.number)
    group by 1, 2, 3),
  tellable as materialized (
    select o.batch, o.part, o.number, not o.erased and o.outside - l.own >= r.least as tells
    from outside o join largest l on (l.batch, l.part, l.number) = (o.batch, o.part, o.number), rule r),
  -- After a batch of documents that cannot be told, no later one of the part is: it could be computed from them.
  documents_told as (
    select t.batch, t.part, t.step, m.documented_on,
      bool_and(t.tells) over (partition by t.batch, t.part order by t.step) as tells
    from (
      select batch, part, abs(number) as step, bool_and(tells) as tells
      from tellable where number <> 0 group by 1, 2, 3) t
      join (
        select batch, part, step, max(documented_on) as documented_on from document_batches group by 1, 2, 3) m
        on (m.batch, m.part, m.step) = (t.batch, t.part, t.step)),
  told as (
    select s.key, sum(s.persons) as registered,
      sum(s.persons) filter (where d.tells and d.documented_on <= r.month) as documented
    from stepped s
      join tellable w on (w.batch, w.part, w.number) = (s.batch, s.part, 0)
      left join documents_told d on (d.batch, d.part, d.step) = (s.batch, s.part, s.step), rule r
    where w.tells and s.told_on <= r.month
    group by 1)
  select coalesce(g.key, t.key), sum(t.registered)::int, coalesce(sum(t.documented), 0)::int
  from told t left join app.report_keys(p_dimension, p_map, p_as_of) g on p_dimension = 'region' and g.said = t.key
  group by 1
$$;
grant execute on function app.told_groups(uuid, date, timestamp with time zone, text, text) to definer;

-- Lowers the numbers of the groups until they are not above the totals, documented and others apart: the totals know a
-- document that is not told yet, and one that was annulled. The rest is the group `other`.
create function app.with_rest(p_total app.figure, p_groups app.figure[]) returns setof app.figure
language sql immutable parallel safe as $$
  with sums as (
    select coalesce(sum(g.documented), 0) as documented, coalesce(sum(g.registered - g.documented), 0) as others
    from unnest(p_groups) g),
  lowered as (
    select g.key, (case
        when s.documented > p_total.documented then floor(g.documented * p_total.documented::numeric / s.documented)
        else g.documented end)::int as documented,
      (case
        when s.others > p_total.registered - p_total.documented
          then floor((g.registered - g.documented) * (p_total.registered - p_total.documented)::numeric / s.others)
        else g.registered - g.documented end)::int as others
    from unnest(p_groups) g, sums s)
  select l.key, l.others + l.documented, l.documented from lowered l
  union all
  select 'other', p_total.registered - coalesce(sum(l.others + l.documented), 0)::int,
    p_total.documented - coalesce(sum(l.documented), 0)::int
  from lowered l
$$;
grant execute on function app.with_rest(app.figure, app.figure[]) to definer;
