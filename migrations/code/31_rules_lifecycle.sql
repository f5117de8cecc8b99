-- The lifecycle of a case and the rules of referrals, seeded by the service from its tables and read by every caller.

grant select on lifecycle to app;
create policy public_knowledge on lifecycle for select to app using (true);
grant select on referral_rules to app;
create policy public_knowledge on referral_rules for select to app using (true);
grant select on referral_decisions to app;
create policy public_knowledge on referral_decisions for select to app using (true);
