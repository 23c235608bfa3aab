-- Claiming: which enrollments are called now. Every limit is counted from rows under one lock per client, so
-- any number of dialers may claim at once and never exceed a limit together.
set check_function_bodies = off;

-- An identifier that nobody can guess and that sorts by time (RFC 9562, version 7): the newest rows lie side
-- by side in the index, however many old ones there are. uuid_head: what those of one instant have in common.
drop function if exists uuid_at(timestamptz);
create or replace function uuid_head(at_time timestamptz) returns text language sql immutable as $$
	select overlay(lpad(to_hex((extract(epoch from at_time) * 1000)::bigint), 12, '0') placing '-' from 9 for 0)
		|| '-7'
$$;
create or replace function uuid_at(a_head text) returns uuid language sql volatile as $$
	select (a_head || substr(gen_random_uuid()::text, 16))::uuid
$$;

-- How far back the pace looks: a strict sliding window, a little longer than a second (or than 1/pace) for
-- clocks that differ. A pace above 4,096 a second is no limit (engine/pace.c has the same number): then
-- nothing is counted.
create or replace function pace_window(a_pace numeric) returns interval language sql immutable as $$
	select interval '1.05 seconds' * greatest(1, 1 / a_pace)::float
$$;

-- How many calls may be begun now for this client, over all campaigns. The caller holds the lock on a_limits.
drop function if exists claim_room(provider_limits, int, timestamptz);
create or replace function claim_room(a_limits provider_limits, a_live int, a_most int, at_time timestamptz)
	returns int language plpgsql stable as $$
begin
	return case when (a_limits).stopped_reason is not null or (a_limits).hold_until > at_time then 0
	else greatest(0, least(a_most,
		(a_limits).concurrency - a_live,
		case when (a_limits).pace_per_second <= 4096 then greatest(1, floor((a_limits).pace_per_second))
			- (select count(*) from calls where client_id = (a_limits).client_id
				and created_at > at_time - pace_window((a_limits).pace_per_second)
				and created_at < at_time + interval '1.05 seconds') end, -- the clock may have been set back
		(a_limits).per_hour - (select count(*) from calls where (a_limits).per_hour is not null
			and client_id = (a_limits).client_id and created_at > at_time - interval '1 hour'),
		(a_limits).per_day - (select count(*) from calls where (a_limits).per_day is not null
			and client_id = (a_limits).client_id and created_at > at_time - interval '1 day')))::int end;
end
$$;

-- The same for one campaign.
drop function if exists campaign_room(campaigns, timestamptz);
create or replace function campaign_room(a_campaign campaigns, a_live int, at_time timestamptz) returns int
	language plpgsql stable as $$
begin
	return greatest(0, least((a_campaign).concurrency - a_live,
		case when (a_campaign).pace_per_second <= 4096 then greatest(1, floor((a_campaign).pace_per_second))
			- (select count(*) from calls where campaign_id = (a_campaign).id
				and created_at > at_time - pace_window((a_campaign).pace_per_second)
				and created_at < at_time + interval '1.05 seconds') end))::int;
end
$$;

-- The version of the prompt that a call speaks from: the campaign's, else the one the lead names, else
-- default.
create or replace function prompt_for(a_client bigint, a_prompt bigint, a_name text) returns bigint
	language plpgsql stable as $$
begin
	return (select v.id from prompts p join prompt_versions v on v.prompt_id = p.id
			and v.version = p.current_version
		where p.client_id = a_client and (p.id = a_prompt or (p.name in (a_name, 'default')
			and p.archived_at is null))
		order by p.id is not distinct from a_prompt desc, p.name = a_name desc limit 1);
end
$$;

-- Due enrollments of a running campaign, promised callbacks first. Locked; those that others hold are
-- skipped.
create or replace function due_enrollments(a_campaign bigint, a_most int, at_time timestamptz)
	returns setof enrollments language plpgsql volatile rows 200 as $$
begin
	return query select * from (select * from enrollments where campaign_id = a_campaign and state = 'waiting'
		and priority = 1 and due_at <= at_time order by due_at, id limit a_most for update skip locked) promised
	union all
	select * from (select * from enrollments where campaign_id = a_campaign and state = 'waiting'
		and priority = 0 and due_at <= at_time order by due_at, id limit a_most for update skip locked) others;
end
$$;

-- Takes up to a_most calls for one client: {"calls": [id …], "moved": n}, or {"busy": true, "holder": {"run",
-- "host", "pid"}} where another run claims. Each call row is written here,
-- before anybody is told to dial. moved: enrollments that were deferred or blocked instead; where it is not 0
-- there may be more to find at once.
-- A campaign that was made in the sandbox has its hours and waits: without a_sandbox it is passed over.
-- a_boot, a_mono: the time by a clock that does not jump, which only processes of one boot of one machine can
-- compare. took_over: another run claimed until just now; ask again in a second.
drop function if exists claim_calls(bigint, int, uuid, int, timestamptz);
drop function if exists claim_calls(bigint, int, uuid, int, timestamptz, boolean);
create or replace function claim_calls(a_client bigint, a_most int, a_run uuid, a_lease_seconds int,
	at_time timestamptz, a_sandbox boolean default false, a_boot text default null, a_mono bigint default 0)
	returns jsonb language plpgsql
	-- A claim is small and the tables are not; a plan made while they were empty must not stay.
	set enable_seqscan = off set enable_mergejoin = off as $$
declare
	limits provider_limits;
	live jsonb; -- calls by campaign
	holder jsonb;
	quiet numeric; -- seconds since another run claimed
	free int;
	head text := uuid_head(at_time);
	taken uuid[];
	moved int;
begin
	select * into limits from provider_limits where client_id = a_client and provider = 'bland'
		for update skip locked;
	if not found then
		return '{"calls": [], "moved": 0, "busy": true}';
	end if;
	-- One run at a time sends for a client: two, each within the pace, could meet at the provider. Another takes
	-- over when this one has ended, or has been quiet for longer than it may take to send (PLACE_SECONDS).
	if limits.claimed_by <> a_run then
		quiet := case when limits.claimed_boot = a_boot then (a_mono - limits.claimed_mono) / 1e6
			else abs(extract(epoch from at_time - limits.claimed_at)) end;
	end if;
	if quiet < 4 then
		select jsonb_build_object('run', id, 'host', host, 'pid', pid) into holder from dialer_runs
		where id = limits.claimed_by and ended_at is null;
		if found then
			return jsonb_build_object('calls', '[]'::jsonb, 'moved', 0, 'busy', true, 'holder', holder);
		end if;
	end if;
	-- Its last requests may still arrive: who takes over begins a second later, before which nothing is claimed.
	if quiet < 5 then
		update provider_limits set claimed_by = a_run, claimed_at = at_time, claimed_boot = a_boot,
			claimed_mono = a_mono
		where client_id = a_client and provider = 'bland';
		return '{"calls": [], "moved": 0, "took_over": true}';
	end if;
	-- A statement of its own, so that it sees what the last holder of the lock committed.
	select coalesce(jsonb_object_agg(campaign_id, n), '{}'), coalesce(sum(n), 0) into live, free from
		(select campaign_id, count(*) as n from calls where client_id = a_client and ended_at is null group by 1) s;
	free := claim_room(limits, free, a_most, at_time);
	if free <= 0 then
		return '{"calls": [], "moved": 0}';
	end if;
	with running as materialized (
		select c.id, c.prompt_id, campaign_room(c, coalesce((live->>c.id::text)::int, 0), at_time) as room
		from campaigns c
		where c.client_id = a_client and c.state = 'running' and c.stopped_at is null
			and (a_sandbox or coalesce(c.settings->>'sandbox', '') <> 'true')
	), due as materialized (
		select e.id, r.id as campaign_id, e.lead_id, e.step, e.tries, e.attempts, e.priority, e.due_at, e.reason,
			r.room, r.prompt_id, l.phone, l.prompt_name
		from running r cross join lateral due_enrollments(r.id, least(r.room, free) + 20, at_time) e
		join leads l on l.id = e.lead_id
		where r.room > 0
	), versions as materialized (
		select p.prompt_id, p.prompt_name, prompt_for(a_client, p.prompt_id, p.prompt_name) as version
		from (select distinct prompt_id, prompt_name from due) p
	), judged as materialized (
		select d.*, coalesce(k.allowed, false) as allowed, coalesce(k.reason, 'archived') as why,
			coalesce(k.permanent, true) as permanent, k.next_at, v.version
		from due d
		join versions v on v.prompt_name = d.prompt_name and v.prompt_id is not distinct from d.prompt_id
		left join (select r.id as campaign, k.* from running r cross join lateral contactability_of(
			array(select x.lead_id from due x where x.campaign_id = r.id), 'call', r.id, at_time) k) k
			on k.campaign = d.campaign_id and k.lead_id = d.lead_id
	), ranked as (
		select j.*,
			row_number() over (partition by j.campaign_id order by j.priority desc, j.due_at, j.id) as place,
			-- Who is due in two campaigns at once is called for one of them; the other waits and is judged again.
			row_number() over (partition by j.lead_id order by j.priority desc, j.due_at, j.id) as of_lead
		from judged j where j.allowed and j.version is not null
	), chosen as materialized (
		-- One of each campaign in turn, so that a large one does not starve the others.
		select * from ranked where place <= ranked.room and of_lead = 1 order by place, campaign_id limit free
	), written as (
		insert into calls (id, client_id, campaign_id, enrollment_id, lead_id, phone, step, try, attempt,
			prompt_version_id, lease_token, lease_until, created_at)
		select uuid_at(head), a_client, campaign_id, id, lead_id, phone, step, tries + 1, attempts + 1,
			version, a_run, at_time + a_lease_seconds * interval '1 second', at_time
		from chosen returning id, lead_id
	), under_way as (
		update enrollments e set state = 'under_way', tries = e.tries + 1, reason = null, changed_at = at_time
		from chosen c where e.id = c.id
	), put_off as (
		update enrollments e set
			state = case when j.allowed or j.permanent then 'blocked' else 'waiting' end,
			reason = case when j.allowed then 'missing_prompt' else j.why end,
			due_at = case when j.allowed or j.permanent then e.due_at
				else greatest(coalesce(j.next_at, at_time + interval '1 hour'), at_time + interval '1 second') end,
			changed_at = at_time
		from judged j where e.id = j.id and (not j.allowed or j.version is null)
		returning e.id, e.state, e.reason, e.due_at, j.reason as before
	), noted as (
		insert into decisions (enrollment_id, at, kind, reason, next_at)
		select id, at_time, case state when 'blocked' then 'blocked' else 'hold' end, reason,
			case state when 'waiting' then due_at end
		from put_off where reason is distinct from before
	)
	select array(select id from written), (select count(*) from put_off) into taken, moved;
	if cardinality(taken) > 0 then
		update provider_limits set claimed_by = a_run, claimed_at = at_time, claimed_boot = a_boot,
			claimed_mono = a_mono
		where client_id = a_client and provider = 'bland';
	end if;
	if moved > 0 then
		perform campaigns_finish(a_client, at_time);
	end if;
	return jsonb_build_object('calls', to_jsonb(taken), 'moved', moved);
end
$$;

-- When something falls due next for this client, for a dialer that has nothing to do: the earliest waiting
-- enrollment of a running campaign, look-up or end of a hold. NULL: nothing is foreseen.
create or replace function next_due(a_client bigint, at_time timestamptz) returns timestamptz
	language sql stable as $$
	select min(t) from (
		select greatest(x.due_at, (select hold_until from provider_limits where client_id = a_client
			and provider = 'bland')) as t
		from campaigns c cross join lateral (
			(select due_at from enrollments where campaign_id = c.id and state = 'waiting' and priority = 1
				order by due_at limit 1)
			union all
			(select due_at from enrollments where campaign_id = c.id and state = 'waiting' and priority = 0
				order by due_at limit 1)) x
		where c.client_id = a_client and c.state = 'running' and c.stopped_at is null
		union all
		select min(deadline_at) from calls where ended_at is null and client_id = a_client
		union all
		select min(lease_until) from calls where ended_at is null and state = 'placing' and client_id = a_client
	) s
$$;

-- Blocked enrollments of these leads are judged anew: after consent, a changed number or zone. Returns how
-- many.
create or replace function recheck_leads(a_leads bigint[], at_time timestamptz) returns integer
	language plpgsql as $$
declare
	n integer;
begin
	with again as (
		update enrollments e set state = 'waiting', due_at = at_time, reason = 'new', changed_at = at_time
		from campaigns c
		where e.lead_id = any (a_leads) and e.state = 'blocked' and c.id = e.campaign_id
			and c.state in ('draft', 'running', 'paused', 'done')
		returning e.id, e.campaign_id
	), opened as (
		update campaigns c set state = 'running', finished_at = null from again a
		where c.id = a.campaign_id and c.state = 'done'
	), noted as (
		insert into decisions (enrollment_id, at, kind) select id, at_time, 'unblocked' from again
	)
	select count(*) into n from again;
	if n > 0 then
		perform pg_notify('dialer', '');
	end if;
	return n;
end
$$;
