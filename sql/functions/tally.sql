-- Counts over many rows that pages show. A count is a query, kept for a moment: as long as 25 times
-- what the counting took, at least one second and at most two minutes. So a thousand leads are counted
-- live, a million every few seconds, and ever more viewers cost nothing more: counting never takes more
-- than a 25th of one core. Who comes while another counts gets the last figures. No counter is
-- maintained by the writers, so nothing can drift and the hot paths pay nothing.
set check_function_bodies = off;

-- The first names of lists: one step of the index for each.
create or replace function lead_lists(a_client bigint) returns jsonb language sql stable as $$
	with recursive names as (
		(select list from leads where client_id = a_client and archived_at is null and list <> ''
			order by list limit 1)
		union all
		select (select l.list from leads l where l.client_id = a_client and l.archived_at is null and l.list <> ''
			and l.list > names.list order by l.list limit 1)
		from names where names.list is not null
	)
	select to_jsonb(array(select list from names where list is not null limit 12))
$$;

create or replace function tally_leads(a_client bigint) returns jsonb language sql stable as $$
	select jsonb_build_object('total', coalesce(sum(n), 0), 'pending', 0, 'dialing', 0, 'done', 0, 'error', 0)
		|| coalesce(jsonb_object_agg(status, n), '{}') || jsonb_build_object('lists', lead_lists(a_client))
	from (select status, sum(n) as n from (
		select status, count(*) as n from lead_statuses where client_id = a_client group by 1
		union all
		select status, -count(*) from leads where client_id = a_client and archived_at is not null group by 1
		union all
		-- Those who are called now count as that instead.
		select unnest(array[l.status, 'dialing']), unnest(array[-count(*), count(*)])
		from leads l where l.client_id = a_client and l.archived_at is null and l.id in (select lead_id from calls
			where client_id = a_client and ended_at is null) group by l.status) rows group by 1) s
$$;

-- {"total", "done", "error", "canceled", "waiting", "retry", "later", "under_way", "ambiguous", "blocked",
--  "finished", "left", "outcomes": {"interested": 3, …}, "cost", "placed_5m", "ended_5m"}; waiting = retry
-- + later + those simply due; cost in micro-dollars; the last two are calls of the last five minutes.
create or replace function tally_campaign(a_campaign bigint, at_time timestamptz) returns jsonb
	language sql stable as $$
	with rows as (
		select state, outcome, case when state <> 'waiting' then '' when reason like 'retry:%' then 'retry'
			when reason in ('outside_window', 'no_calls_today_here', 'daily_cap', 'weekly_cap',
				'called_recently', 'callback') then 'later' else '' end as wait, count(*) as n
		from enrollments where campaign_id = a_campaign group by 1, 2, 3
	)
	select jsonb_build_object(
		'total', coalesce(sum(n), 0),
		'done', coalesce(sum(n) filter (where state = 'done'), 0),
		'error', coalesce(sum(n) filter (where state = 'error'), 0),
		'canceled', coalesce(sum(n) filter (where state = 'canceled'), 0),
		'waiting', coalesce(sum(n) filter (where state = 'waiting'), 0),
		'retry', coalesce(sum(n) filter (where wait = 'retry'), 0),
		'later', coalesce(sum(n) filter (where wait = 'later'), 0),
		'under_way', coalesce(sum(n) filter (where state = 'under_way'), 0),
		'ambiguous', coalesce(sum(n) filter (where state = 'ambiguous'), 0),
		'blocked', coalesce(sum(n) filter (where state = 'blocked'), 0),
		'finished', coalesce(sum(n) filter (where state in ('done', 'error', 'canceled')), 0),
		'left', coalesce(sum(n) filter (where state in ('waiting', 'blocked')), 0),
		'outcomes', coalesce((select jsonb_object_agg(outcome, m) from (
			select coalesce(outcome, 'unknown') as outcome, sum(n) as m
			from rows where state = 'done' group by 1) o), '{}'),
		'cost', coalesce((select sum(cost_usd) from calls where campaign_id = a_campaign), 0),
		'placed_5m', (select count(*) from calls where campaign_id = a_campaign
			and created_at > at_time - interval '5 minutes'),
		'ended_5m', (select count(*) from calls where campaign_id = a_campaign
			and created_at > at_time - interval '15 minutes' and ended_at > at_time - interval '5 minutes'))
	from rows
$$;

-- Why those wait who wait, and what blocks the others: [{"state", "reason", "n", "next_at"}], most first.
create or replace function tally_reasons(a_campaign bigint) returns jsonb language sql stable as $$
	select coalesce(jsonb_agg(to_jsonb(r) order by n desc, reason), '[]') from (
		select state, coalesce(reason, 'new') as reason, count(*) as n,
			min(due_at) filter (where state = 'waiting') as next_at
		from enrollments where campaign_id = a_campaign and state in ('waiting', 'blocked')
		group by 1, 2 order by n desc limit 30) r
$$;

-- Whether a person was on the line.
create or replace function is_answered(a_picked_up boolean, a_outcome text) returns boolean
	language sql immutable as $$
	select a_picked_up and a_outcome is distinct from 'voicemail'
		or coalesce(a_outcome in ('interested', 'not_interested', 'follow_up', 'callback', 'do_not_contact',
			'hangup'), false)
$$;

-- Calls since midnight in a_zone.
create or replace function tally_day(a_client bigint, a_zone text, at_time timestamptz) returns jsonb
	language sql stable as $$
	with rows as (
		select state, outcome, is_answered(started_at is not null, outcome) as answered,
			count(*) as n, sum(cost_usd) as cost, sum(duration_seconds) as seconds
		from calls where client_id = a_client
			and created_at >= date_trunc('day', at_time at time zone a_zone) at time zone a_zone
		group by 1, 2, 3
	)
	select jsonb_build_object('calls', coalesce(sum(n), 0),
		'ended', coalesce(sum(n) filter (where state = 'ended'), 0),
		'answered', coalesce(sum(n) filter (where state = 'ended' and answered), 0),
		'cost', coalesce(sum(cost), 0), 'seconds', coalesce(sum(seconds), 0),
		'outcomes', coalesce((select jsonb_object_agg(outcome, m) from (select outcome, sum(n) as m from rows
			where state = 'ended' and outcome is not null group by outcome) o), '{}'))
	from rows
$$;

-- a_subject: 'leads', 'campaign 7', 'reasons 7' (of a campaign), 'free', 'day Europe/Berlin'. a_live: what
-- takes less than 40 ms is counted each time.
drop function if exists tally(bigint, text, timestamptz);
create or replace function tally(a_client bigint, a_subject text, at_time timestamptz,
	a_live boolean default false) returns jsonb language plpgsql as $$
declare
	known tallies;
	result jsonb;
	started timestamptz;
	word text := split_part(a_subject, ' ', 1);
	rest text := substr(a_subject, length(word) + 2);
begin
	select * into known from tallies where client_id = a_client and subject = a_subject;
	if a_live and known.took < interval '40 ms' then
		known.data := null;
	end if;
	if known.data is not null and at_time between known.at and known.at
			+ least(greatest(25 * known.took, interval '1 second'), interval '2 minutes') then
		return known.data;
	end if;
	if known.data is not null and not pg_try_advisory_xact_lock(hashtext('tally'),
			hashtext(a_client || ' ' || a_subject)) then
		return known.data;
	end if;
	started := clock_timestamp();
	result := case word
		when 'leads' then tally_leads(a_client)
		when 'campaign' then tally_campaign(rest::bigint, at_time)
		when 'reasons' then tally_reasons(rest::bigint)
		when 'free' then to_jsonb(leads_free(a_client, null, 100000))
		when 'day' then tally_day(a_client, rest, at_time) end;
	if a_live and clock_timestamp() - started < interval '40 ms' then
		return result;
	end if;
	insert into tallies (client_id, subject, data, at, took)
	values (a_client, a_subject, result, at_time, clock_timestamp() - started)
	on conflict (client_id, subject) do update set data = excluded.data, at = excluded.at, took = excluded.took;
	return result;
end
$$;
