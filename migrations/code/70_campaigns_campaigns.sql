-- Campaigns.

-- True if the day is within the campaign, or there is no campaign.
create function app.is_within(k public.campaigns, day date) returns boolean language sql immutable return
  k.id is null or day between k.starts_on and coalesce(k.ends_on, 'infinity');
grant execute on function app.is_within(public.campaigns, date) to definer;

-- Returns a campaign, with a lock that keeps its days until the end of the transaction; null if there is none.
create function app.hold_campaign(p_campaign uuid) returns public.campaigns
language sql security definer set search_path = '' as $$
  select * from public.campaigns where id = p_campaign for key share
$$;

-- Before the days of a campaign are changed: refuses days that leave a registration of the campaign outside. Waits for
-- registrations under way, which hold the campaign.
create function app.keep_registrations_within() returns trigger
language plpgsql security definer set search_path = '' as $$
declare first date; last date;
begin
  perform from public.campaigns where id = new.id for update;
  select min(c.registered_on), max(c.registered_on) into first, last
    from public.cases c where c.campaign_id = new.id;
  if first < new.starts_on then
    perform app.refuse('invalid-request', 'Expected a day on or before the first registration', '#/startsOn');
  elsif last > new.ends_on then
    perform app.refuse('invalid-request', 'Expected a day on or after the last registration', '#/endsOn');
  end if;
  return new;
end $$;
create trigger keep_registrations_within before update of starts_on, ends_on on campaigns for each row
  when ((old.starts_on, old.ends_on) is distinct from (new.starts_on, new.ends_on))
  execute function app.keep_registrations_within();

-- A directory, which every account reads. Committees and IOM create campaigns, and change their own.
grant select, insert (id, name, starts_on, ends_on), update (name, starts_on, ends_on, version) on campaigns to app;
create policy directory on campaigns for select to app using ((select app.account()) is not null);
create policy organised on campaigns for insert to app with check (
  organisation_id = (select app.org()) and (select app.kind()) in ('committee', 'iom'));
create policy organised_change on campaigns for update to app using (organisation_id = (select app.org()));
