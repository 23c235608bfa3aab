-- What is old goes; who asks for it is erased.

-- name: retention_step
select retention_step($1, $2, $3) as n

-- name: retention_files
select retention_files as path from retention_files($1, $2)

-- Which of these files an import still needs.
-- name: retention_needed
select spool_path as path from imports where spool_path = any ($1)

-- name: retention_days
select kind, keep_days(kind, $1) as days
from unnest('{events,transcripts,decisions,import_lines,login_failures,files}'::text[]) kind

-- name: person_suppress
select person_suppress($1, $2, $3, $4)

-- name: person_erase
select person_erase($1, $2, $3, $4, $5, $6, $7) as removed
