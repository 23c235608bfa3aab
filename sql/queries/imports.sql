-- name: import_create
insert into imports (client_id, state, file_name, size_bytes, sha256, spool_path, format, encoding,
	delimiter, columns,
	options, same_as, created_by, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
returning id;

-- name: import_same
select id from imports where client_id = $1 and sha256 = $2 and state in ('done', 'running', 'queued')
order by id desc limit 1;

-- name: import_wake
select pg_notify('jobs', ''), pg_notify('live', '');

-- name: import_find
-- How many were called is not counted for big imports: the job that undoes looks anyway.
select id, state, state as status, file_name, size_bytes, format, encoding, delimiter, columns, options,
	bytes_done, rows_total,
	rows_created, rows_updated, rows_skipped, rows_rejected, same_as,
	error, jobs_of(null, id) as jobs, created_at, started_at, finished_at, undone_at, undo_asked_at,
	cancel_asked_at,
	case when rows_created <= 5000 or state not in ('done', 'canceled', 'failed') then import_undo_refusal(id)
		end
		as undo_refusal,
	(select email from users u where u.id = created_by) as created_by
from imports where client_id = $1 and id = $2;

-- name: import_pending
-- What waits for its columns.
select spool_path, file_name, options, columns, same_as from imports where client_id = $1 and id = $2
	and state = 'mapping';

-- name: import_page
select id, state, state as status, file_name, size_bytes, encoding, delimiter, bytes_done, rows_total,
	rows_created, rows_updated, rows_skipped, rows_rejected,
	created_at, (select email from users u where u.id = created_by) as created_by
from imports where client_id = $1 and id < $2 order by id desc limit $3;

-- name: import_mapped
update imports set state = 'queued', columns = $3, options = $4, format = $5, encoding = $6, delimiter = $7
where client_id = $1 and id = $2 and state = 'mapping';

-- name: import_remembered
select columns from imports where client_id = $1 and state in ('done', 'queued', 'running', 'undone')
	and jsonb_path_query_array(columns, '$[*].name') = $2 order by id desc limit 1;

-- name: import_ask_cancel
update imports i set cancel_asked_at = $3::timestamptz, state = case when i.state in ('queued', 'mapping')
	then 'canceled' else i.state end,
	finished_at = case when i.state in ('queued', 'mapping') then $3::timestamptz end,
	spool_path = case when i.state = 'running' then i.spool_path end
from (select id, state, spool_path from imports where client_id = $1 and id = $2
	and state in ('queued', 'mapping', 'running') for update) old
where i.id = old.id
returning old.state, case when old.state <> 'running' then old.spool_path end as unused;

-- name: import_ask_undo
update imports set undo_asked_at = $3, error = null, tries = 0, lease_until = null
where client_id = $1 and id = $2 and state in ('done', 'canceled', 'failed') and undo_asked_at is null;

-- name: import_undo_refusal
select import_undo_refusal(id) as refusal from imports where client_id = $1 and id = $2;

-- name: import_attest
select import_attest($1, $2, $3, $4, $5) as n;

-- name: import_lines_page
select l.line, l.verdict, l.verdict as status, l.column_name as "column", l.reason, l.raw, l.lead_id
from import_lines l join imports i on i.id = l.import_id
where i.client_id = $1 and i.id = $2 and l.line > $3 and (l.verdict = $5 or $5 is null) order by l.line
	limit $4;

-- name: import_lines_all
select line, verdict, column_name as "column", reason, raw from import_lines
where import_id = $1 and verdict = any (case when $2 then '{rejected,skipped,updated}'::text[]
	else '{rejected}' end)
order by line;

-- name: import_stage
select import_stage_create();

-- name: import_take
select import_take($1, $2, $3) as id;

-- name: import_job
select id, client_id, state, spool_path, options, columns, line_done, size_bytes,
	to_jsonb(lane_lines) as lane_lines, undo_asked_at from imports where id = $1;

-- name: import_areas
select string_agg(prefix, ' ' order by prefix collate "C") as prefixes from area_code_zones;

-- name: import_copy
copy import_stage (line, phone, area, extension, contact, company, email, location, region, time_zone, source,
	agent, notes,
	prompt, consent, consent_at, consent_text, attributes, reason, column_name, raw) from stdin;

-- name: import_merge
select import_merge($1, $2, $3, $4, $5, $6, $7, $8) as canceled;

-- name: import_tidy
select import_tidy();

-- name: import_release
select import_release($1, $2, $3, $4, $5);

-- name: import_finish
select import_finish($1, $2, $3, $4);

-- name: import_undo
select import_undo($1, $2, $3);
