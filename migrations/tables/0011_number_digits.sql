-- The number of digits in the number of such a document, if it consists of digits: a table that was opened as a
-- spreadsheet has lost the zeros at the beginning.
alter table codes add number_digits int check (number_digits > 0);
