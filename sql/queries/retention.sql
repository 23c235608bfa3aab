-- What is old goes; who asks for it is erased.

-- name: retention_step
select retention_step($1, $2, $3) as n

-- name: retention_files
select retention_files as path from retention_files($1, $2)

-- Which of these files an import still needs.
-- name: retention_needed
select spool_path as path from imports where spool_path = any ($1)

-- name: person_suppress
select person_suppress($1, $2, $3, $4)

-- name: person_erase
select person_erase($1, $2, $3, $4, $5, $6, $7) as removed
