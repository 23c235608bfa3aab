-- name: import_create
insert into imports (client_id, state, file_name, size_bytes, sha256, spool_path, format, encoding, delimiter, columns,
	options, same_as, created_by, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, (select max(id) from imports where client_id = $1 and sha256 = $5
	and state in ('done', 'running', 'queued')), $12, $13)
returning id, same_as

-- name: import_same
select id, created_at, rows_created from imports where client_id = $1 and sha256 = $2 and state in ('done', 'running', 'queued')
order by id desc limit 1

-- name: import_wake
select pg_notify('jobs', '')

-- name: import_find
select id, state, state as status, file_name, size_bytes, format, encoding, delimiter, columns, options, bytes_done, rows_total,
	rows_created, rows_updated, rows_skipped, rows_rejected, same_as, error, created_at, started_at, finished_at,
	undone_at, undo_asked_at, cancel_asked_at, import_undo_refusal(client_id, id) as undo_refusal,
	(select email from users u where u.id = created_by) as created_by
from imports where client_id = $1 and id = $2

-- name: import_spool
select spool_path, options, columns from imports where client_id = $1 and id = $2 and state = 'mapping'

-- name: import_page
select id, state, state as status, file_name, size_bytes, encoding, delimiter, bytes_done, rows_total, rows_created, rows_updated,
	rows_skipped, rows_rejected, created_at, (select email from users u where u.id = created_by) as created_by
from imports where client_id = $1 and id < $2 order by id desc limit $3

-- name: import_mapped
update imports set state = 'queued', columns = $3, options = $4 where client_id = $1 and id = $2 and state = 'mapping'

-- name: import_remembered
select columns from imports where client_id = $1 and state in ('done', 'queued', 'running')
	and jsonb_path_query_array(columns, '$[*].name') = $2 order by id desc limit 1

-- name: import_ask_cancel
update imports set cancel_asked_at = $3, state = case when state in ('queued', 'mapping') then 'canceled' else state end
where client_id = $1 and id = $2 and state in ('queued', 'mapping', 'running')

-- name: import_ask_undo
update imports set undo_asked_at = $3 where client_id = $1 and id = $2 and state in ('done', 'canceled', 'failed')

-- name: import_lines_page
select line, verdict, column_name as "column", reason, raw from import_lines
where import_id = $1 and line > $2 and (verdict = $4 or $4 is null) order by line limit $3

-- name: import_lines_all
select line, verdict, column_name as "column", reason, raw from import_lines where import_id = $1 and verdict = 'rejected' order by line

-- name: import_stage
select import_stage_create()

-- name: import_take
select import_take($1, $2, $3) as id

-- name: import_job
select id, client_id, state, spool_path, options, columns, size_bytes, line_done, undo_asked_at, cancel_asked_at,
	coalesce(options->>'default_country', '') as country from imports where id = $1

-- name: import_canceled
select cancel_asked_at is not null as canceled from imports where id = $1

-- name: import_copy
copy import_stage (line, phone, extension, contact, company, email, location, region, time_zone, source, agent, notes,
	prompt, consent, attributes, reason, column_name, raw) from stdin

-- name: import_merge
select import_merge($1, $2, $3, $4, $5, $6) as held

-- name: import_finish
select import_finish($1, $2, $3, $4)

-- name: import_undo
select import_undo($1, $2, $3)
