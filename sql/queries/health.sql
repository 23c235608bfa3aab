-- Is everything there, is it moving?

-- name: health_missing
select name
from unnest(array['clients', 'users', 'login_failures', 'settings', 'prompts', 'prompt_versions', 'imports',
	'import_lines', 'leads', 'campaigns', 'steps', 'enrollments', 'decisions', 'calls', 'events', 'consents',
	'suppressions', 'provider_limits', 'alerts',
	'alert_messages', 'maintenance_runs', 'audit', 'dialer_runs', 'jobs', 'schema_migrations']) as name
where to_regclass(name) is null;

-- Counts at most 10,000, so that it costs the same with a million.
-- name: health_state
select (select count(*) from (select 1 from enrollments where state = 'waiting' limit 10000) as few)
		as queue_depth,
	(select max(seen_at) from dialer_runs) as dialer_last_run;

-- name: health_campaigns
select id, name, state, state_reason, started_at
from campaigns
where state in ('running', 'paused')
order by id;

-- name: health_clock
select clock_timestamp() as now;

-- What the doctor asks the server itself.
-- name: health_server
select current_setting('server_version_num')::int as version,
	current_setting('server_version') as version_text,
	current_setting('fsync') as fsync, current_setting('full_page_writes') as full_page_writes,
	current_setting('synchronous_commit') as synchronous_commit, current_setting('autovacuum') as autovacuum,
	current_setting('max_connections')::int as max_connections,
	(select count(*) from pg_stat_activity where datname = current_database()) as connections,
	pg_encoding_to_char(encoding) as encoding,
	age(datfrozenxid) as xid_age
from pg_database where datname = current_database();

-- Minutes east of UTC at this moment, for comparing with the machine's own tables.
-- name: health_zones
select name, (extract(epoch from
	($1::timestamptz at time zone name) - ($1::timestamptz at time zone 'UTC')) / 60)::int as minutes
from zone_names where name in ('America/New_York', 'America/Phoenix', 'America/Los_Angeles', 'Europe/Berlin')
order by name;

-- name: health_status
select (select count(*) from (select 1 from enrollments where state = 'waiting' limit 10000) w) as waiting,
	(select count(*) from calls where ended_at is null) as live,
	(select count(*) from calls where ended_at is null and state = 'ambiguous') as ambiguous,
	(select count(*) from calls where created_at > $1::timestamptz - interval '1 day') as calls_last_day,
	(select count(*) from imports where state in ('queued', 'running')) as imports_open,
	(select max(seen_at) from dialer_runs) as dialer_seen_at,
	(select max(finished_at) from maintenance_runs where name = 'backup' and ok) as backup_at,
	current_setting('server_version') as postgresql;
