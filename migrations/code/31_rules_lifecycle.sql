-- The lifecycle and the rules of referrals, which the service seeds from its tables.

grant select on lifecycle to app;
create policy public_knowledge on lifecycle for select to app using (true);

grant select on referral_rules to app;
create policy public_knowledge on referral_rules for select to app using (true);

grant select on referral_decisions to app;
create policy public_knowledge on referral_decisions for select to app using (true);
