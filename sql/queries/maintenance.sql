-- Runs of the nightly work.

-- name: maintenance_begin
insert into maintenance_runs (name, started_at) values ($1, $2) returning id

-- name: maintenance_end
update maintenance_runs set finished_at = $2, ok = $3, detail = $4 where id = $1

-- Whole, for a run whose beginning is in another database.
-- name: maintenance_add
insert into maintenance_runs (name, started_at, finished_at, ok, detail) values ($1, $2, $3, $4, $5)
