-- Is everything there, is it moving?

-- name: health_missing
select name
from unnest(array['clients', 'users', 'login_failures', 'settings', 'prompts', 'prompt_versions', 'imports',
	'import_lines', 'leads', 'campaigns', 'steps', 'enrollments', 'decisions', 'calls', 'events', 'consents',
	'suppressions', 'provider_limits', 'alerts', 'audit', 'dialer_runs', 'schema_migrations']) as name
where to_regclass(name) is null;

-- Counts at most 10,000, so that it costs the same with a million.
-- name: health_state
select (select count(*) from (select 1 from enrollments where state = 'waiting' limit 10000) as few)
		as queue_depth,
	(select max(seen_at) from dialer_runs) as dialer_last_run;

-- name: health_counts
select (select count(*) from leads) as leads,
	(select count(*) from calls) as calls,
	(select count(*) from calls where ended_at is null) as calls_under_way,
	(select count(*) from users where active) as users,
	(select count(*) from imports) as imports;

-- name: health_campaigns
select id, name, state, state_reason, started_at
from campaigns
where state in ('running', 'paused')
order by id;

-- name: health_clock
select clock_timestamp() as now;
