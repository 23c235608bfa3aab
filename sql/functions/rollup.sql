-- Days that are over are counted once and kept in call_days (0006_days.sql).
set check_function_bodies = off;

-- The days to count: from the first call, or from three days before the last one that was counted (what came
-- of a call may be learned days later), to yesterday.
create or replace function rollup_days(a_zone text, a_all boolean, at_time timestamptz)
	returns table (day date) language sql stable as $$
	select d::date from generate_series(
		coalesce(case when not a_all then (select max(c.day) - 3 from call_days c) end,
			(select min(k.created_at at time zone a_zone)::date from clients c cross join lateral
				(select f.created_at from calls f where f.client_id = c.id order by f.created_at limit 1) k)),
		(at_time at time zone a_zone)::date - 1, interval '1 day') d
$$;

-- Counts one day anew; how many rows it came to. Calls that were erased with their people since then stay
-- counted.
create or replace function rollup_day(a_day date, a_zone text) returns bigint language plpgsql as $$
declare
	changed bigint;
begin
	with raw as (
		select k.client_id, k.campaign_id, k.state, k.outcome,
			is_answered(k.started_at is not null, k.outcome) as answered,
			count(*) as n, sum(k.duration_seconds) as seconds, sum(k.cost_usd) as cost
		from clients c join calls k on k.client_id = c.id
			and k.created_at >= a_day::timestamp at time zone a_zone
			and k.created_at < (a_day + 1)::timestamp at time zone a_zone
		group by 1, 2, 3, 4, 5
	), outcomes as (
		select client_id, campaign_id, jsonb_object_agg(o.outcome, o.m) as outcomes
		from (select client_id, campaign_id, outcome, sum(raw.n) as m from raw
			where state = 'ended' and outcome is not null group by 1, 2, 3) o
		group by 1, 2
	)
	insert into call_days as d (client_id, day, campaign_id, calls, ended, answered, seconds, cost_usd, outcomes)
	select r.client_id, a_day, r.campaign_id, sum(r.n), coalesce(sum(r.n) filter (where r.state = 'ended'), 0),
		coalesce(sum(r.n) filter (where r.state = 'ended' and r.answered), 0), coalesce(sum(r.seconds), 0),
		coalesce(sum(r.cost), 0), coalesce((select o.outcomes from outcomes o
			where (o.client_id, o.campaign_id) = (r.client_id, r.campaign_id)), '{}')
	from raw r group by r.client_id, r.campaign_id
	on conflict (client_id, day, campaign_id) do update set calls = excluded.calls, ended = excluded.ended,
		answered = excluded.answered, seconds = excluded.seconds, cost_usd = excluded.cost_usd,
		outcomes = excluded.outcomes
	where excluded.calls >= d.calls;
	get diagnostics changed = row_count;
	return changed;
end
$$;
