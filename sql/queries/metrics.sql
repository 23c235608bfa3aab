-- What /metrics tells beside the counters of the pools. Lists are [{label…, "value"}].

-- name: metrics_state
with waiting as materialized (
	select d.depth, d.due, d.oldest
	from campaigns c cross join lateral (
		select count(*) as depth, count(*) filter (where w.due_at <= $1) as due, min(w.due_at) as oldest
		from (select due_at from enrollments where campaign_id = c.id and state = 'waiting'
			order by priority desc, due_at, id limit 10000) w) d
	where c.state = 'running'
), lately as materialized (
	select e.verdict, e.kind, e.applied_at, e.call_id from events e
	where e.received_at > $1::timestamptz - interval '1 hour' order by e.received_at desc, e.id desc limit 10000
), lag as materialized (
	select greatest(extract(epoch from l.applied_at - c.ended_at), 0)::float8 as seconds
	from (select * from lately where verdict = 'applied' and kind = 'post_call' limit 500) l
		join calls c on c.id = l.call_id
	where c.ended_at is not null
)
select
	(select coalesce(sum(depth), 0)::bigint from waiting) as queue_depth,
	(select coalesce(sum(due), 0)::bigint from waiting) as queue_due,
	(select coalesce(greatest(extract(epoch from $1 - min(oldest)), 0), 0)::float8 from waiting)
		as oldest_due_seconds,
	(select coalesce(jsonb_agg(jsonb_build_object('state', s, 'value', (select count(*) from calls
		where ended_at is null and state = s))), '[]')
		from unnest('{placing,placed,under_way,ambiguous}'::text[]) s) as live_calls,
	(select coalesce(jsonb_agg(jsonb_build_object('provider', provider, 'value', n)), '[]')
		from (select provider, max((stopped_reason is not null)::int) as n from provider_limits group by 1) p)
		as provider_stopped,
	(select coalesce(jsonb_agg(jsonb_build_object('provider', provider, 'value', s)), '[]')
		from (select provider, max(greatest(coalesce(extract(epoch from hold_until - $1), 0), 0))::float8 as s
			from provider_limits group by 1) p) as provider_holds,
	(select avg(seconds) from lag) as webhook_lag_avg,
	(select max(seconds) from lag) as webhook_lag_max,
	(select coalesce(jsonb_agg(jsonb_build_object('verdict', verdict, 'value', n)), '[]')
		from (select verdict, count(*) as n from lately group by 1 order by 1) v) as webhooks,
	(select count(*) from dialer_runs where seen_at > $1::timestamptz - interval '1 hour'
		and started_at > $1::timestamptz - interval '1 hour') as dialer_runs,
	(select coalesce(sum(placed), 0)::bigint from dialer_runs
		where seen_at > $1::timestamptz - interval '1 hour'
			and started_at > $1::timestamptz - interval '1 hour') as dialer_placed,
	(select max(seen_at) from dialer_runs) as dialer_seen,
	(select coalesce(jsonb_agg(jsonb_build_object('state', s, 'value', (select count(*) from imports
		where state = s))), '[]') from unnest('{queued,running}'::text[]) s) as imports,
	(select coalesce(jsonb_agg(jsonb_build_object('name', name, 'value', at)), '[]')
		from (select name, extract(epoch from max(finished_at))::bigint as at from maintenance_runs
			where ok group by 1 order by 1) m) as maintenance,
	(select coalesce(jsonb_agg(jsonb_build_object('kind', kind, 'value', n)), '[]')
		from (select kind, count(*) as n from alerts where resolved_at is null group by 1 order by 1) a) as alerts;

-- Apart, because it reads the calls of a whole day: asked for less often.
-- name: metrics_day
with day as materialized (
	select c.provider, c.outcome, c.reason, count(*) as n
	from clients k join calls c on c.client_id = k.id and c.created_at > $1::timestamptz - interval '1 day'
	where c.outcome is not null
	group by 1, 2, 3
)
select
	(select coalesce(jsonb_agg(jsonb_build_object('outcome', outcome, 'value', n)), '[]')
		from (select outcome, sum(n)::bigint as n from day group by 1 order by 1) o) as outcomes,
	(select coalesce(jsonb_agg(jsonb_build_object('provider', provider, 'reason', reason, 'value', n)), '[]')
		from (select provider, coalesce(reason, outcome) as reason, sum(n)::bigint as n from day
			where outcome in ('failed', 'unknown') group by 1, 2 order by 1, 2) f) as provider_errors;
