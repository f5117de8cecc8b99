-- The cases of a campaign that have several rows, for reports that follow each change of a person.
create index on case_figures (campaign_id, case_id) where until_on < 'infinity' or until_at < 'infinity';
