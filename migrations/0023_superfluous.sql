-- Conditions that nothing could ever fail, found by the mutants of the wall.

-- The trigger writes the organisation, whatever is sent.
alter policy proposed on proposals with check (true);
