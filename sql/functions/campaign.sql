-- What people do with campaigns. Each may be pressed twice: the second time changes nothing. Errors are
-- raised as
-- SQLSTATE TLxxx, where xxx is the HTTP status, with the code in the hint.
set check_function_bodies = off;

-- Makes a campaign (a_id NULL) or changes one that does not run. Members that a_fields lacks keep their
-- value.
create or replace function campaign_put(a_client bigint, a_id bigint, a_fields jsonb, a_user bigint,
	at_time timestamptz) returns bigint language plpgsql as $$
declare
	c campaigns;
begin
	if a_id is null then
		insert into campaigns (client_id, name, created_by, created_at)
		values (a_client, a_fields->>'name', a_user, at_time) returning * into c;
		insert into steps (campaign_id, position, kind) values (c.id, 1, 'call');
	else
		select * into c from campaigns where id = a_id and client_id = a_client for update;
		if not found then
			raise exception 'There is no such campaign.' using errcode = 'TL404', hint = 'not_found';
		end if;
		if c.state in ('running', 'archived') then
			raise exception 'A campaign that is % cannot be changed. Pause it first.', c.state
				using errcode = 'TL409', hint = 'campaign_' || c.state;
		end if;
	end if;
	update campaigns set
		name = coalesce(a_fields->>'name', name),
		prompt_id = case when a_fields ? 'prompt_id' then (a_fields->>'prompt_id')::bigint else prompt_id end,
		concurrency = coalesce((a_fields->>'concurrency')::int, concurrency),
		pace_per_second = coalesce((a_fields->>'pace_per_second')::numeric, pace_per_second),
		window_start = coalesce((a_fields->>'window_start')::time, window_start),
		window_end = coalesce((a_fields->>'window_end')::time, window_end),
		window_days = case when a_fields ? 'window_days'
			then array(select jsonb_array_elements_text(a_fields->'window_days')::int) else window_days end,
		window_wide = coalesce((a_fields->>'window_wide')::boolean, window_wide),
		max_attempts = coalesce((a_fields->>'max_attempts')::int, max_attempts),
		retry_policy = coalesce(a_fields->'retry_policy', retry_policy),
		voice = case when a_fields ? 'voice' then nullif(a_fields->>'voice', '') else voice end,
		max_duration = coalesce((a_fields->>'max_duration')::int, max_duration),
		record = coalesce((a_fields->>'record')::boolean, record),
		voicemail_action = coalesce(a_fields->>'voicemail_action', voicemail_action),
		caller_number = case when a_fields ? 'caller_number' then nullif(a_fields->>'caller_number', '')
			else caller_number end,
		rep = coalesce(a_fields->>'rep', rep),
		settings = coalesce(a_fields->'settings', settings)
	where id = c.id;
	return c.id;
end
$$;

-- Puts leads into a campaign: those of an import, those named, or all. Only pending ones that no other open
-- campaign has. A campaign that was done runs again.
create or replace function campaign_enrol(a_campaign bigint, a_import bigint, a_leads bigint[],
	at_time timestamptz) returns integer language plpgsql as $$
declare
	c campaigns;
	n integer;
begin
	select * into c from campaigns where id = a_campaign for update;
	if not found or c.state = 'archived' then
		raise exception 'There is no such open campaign.' using errcode = 'TL404', hint = 'not_found';
	end if;
	insert into enrollments (client_id, campaign_id, lead_id, due_at, reason, created_at, changed_at)
	select c.client_id, c.id, l.id, at_time, 'new', at_time, at_time from leads l
	where l.client_id = c.client_id and l.archived_at is null and l.status = 'pending'
		and (a_import is null or l.import_id = a_import)
		and (a_leads is null or l.id = any (a_leads))
		and not exists (select from enrollments e join campaigns o on o.id = e.campaign_id
			where e.lead_id = l.id and e.campaign_id <> c.id and o.state <> 'archived'
				and e.state in ('waiting', 'under_way', 'ambiguous', 'blocked'))
	order by l.id
	on conflict (campaign_id, lead_id) do update set state = 'waiting', due_at = excluded.due_at, reason = 'new',
		changed_at = excluded.changed_at where enrollments.state in ('canceled', 'blocked');
	get diagnostics n = row_count;
	if n > 0 and c.state = 'done' then
		update campaigns set state = 'running', finished_at = null where id = c.id;
	end if;
	if n > 0 and c.state in ('done', 'running') then
		perform pg_notify('dialer', '');
	end if;
	return n;
end
$$;

create or replace function campaign_locked(a_client bigint, a_campaign bigint) returns campaigns
	language plpgsql as $$
declare
	c campaigns;
begin
	select * into c from campaigns where id = a_campaign and client_id = a_client for update;
	if not found then
		raise exception 'There is no such campaign.' using errcode = 'TL404', hint = 'not_found';
	end if;
	return c;
end
$$;

-- Starts, or goes on. True where this changed something.
create or replace function campaign_start(a_client bigint, a_campaign bigint, a_user bigint,
	at_time timestamptz) returns boolean language plpgsql as $$
declare
	c campaigns := campaign_locked(a_client, a_campaign);
begin
	if c.state = 'archived' then
		raise exception 'An archived campaign cannot be started.' using errcode = 'TL409',
			hint = 'campaign_archived';
	end if;
	if c.state = 'running' then
		return false;
	end if;
	if not exists (select from enrollments where campaign_id = c.id
			and state in ('waiting', 'under_way', 'ambiguous', 'blocked')) then
		raise exception 'Nobody is left to call in this campaign. Add leads first.'
			using errcode = 'TL409', hint = 'no_leads';
	end if;
	-- Blocked ones are judged anew: what blocked them may have been mended meanwhile.
	update enrollments set state = 'waiting', due_at = at_time, changed_at = at_time
	where campaign_id = c.id and state = 'blocked';
	update campaigns set state = 'running', state_reason = null, started_at = coalesce(started_at, at_time),
		started_by = a_user, paused_at = null, finished_at = null where id = c.id;
	update alerts set resolved_at = at_time, resolved_by = a_user where kind = 'campaign_paused'
		and subject = 'campaign ' || c.id and resolved_at is null;
	perform pg_notify('dialer', '');
	return true;
end
$$;

-- Nothing new is called; calls under way finish; those that wait keep waiting.
create or replace function campaign_pause(a_client bigint, a_campaign bigint, a_user bigint,
	at_time timestamptz) returns boolean language plpgsql as $$
declare
	c campaigns := campaign_locked(a_client, a_campaign);
begin
	if c.state = 'paused' then
		return false;
	end if;
	if c.state <> 'running' then
		raise exception 'Only a running campaign can be paused; this one is %.', c.state
			using errcode = 'TL409', hint = 'campaign_' || c.state;
	end if;
	update campaigns set state = 'paused', paused_at = at_time, state_reason = null where id = c.id;
	return true;
end
$$;

-- Takes everybody off who still waits; calls under way finish, then it is done. Returns how many were
-- taken off.
create or replace function campaign_stop(a_client bigint, a_campaign bigint, a_user bigint,
	at_time timestamptz) returns integer language plpgsql as $$
declare
	c campaigns := campaign_locked(a_client, a_campaign);
	n integer;
begin
	with off as (
		update enrollments set state = 'canceled', reason = null, changed_at = at_time
		where campaign_id = c.id and state in ('waiting', 'blocked') returning id, lead_id, outcome
	), noted as (
		insert into decisions (enrollment_id, at, kind, reason, user_id)
		select id, at_time, 'canceled', 'the campaign was stopped', a_user from off
	), back as (
		-- Who was reached before has an outcome; who was not can be called by another campaign.
		update leads l set status = case when o.outcome is null then 'pending' else 'done' end, updated_at = at_time
		from off o where l.id = o.lead_id and l.status = 'dialing'
	)
	select count(*) into n from off;
	if c.state in ('running', 'paused') then
		update campaigns set state = 'running', state_reason = null where id = c.id;
		perform campaign_finish_if_done(c.id, at_time);
	end if;
	return n;
end
$$;

create or replace function campaign_archive(a_client bigint, a_campaign bigint, a_user bigint,
	at_time timestamptz) returns boolean language plpgsql as $$
declare
	c campaigns := campaign_locked(a_client, a_campaign);
begin
	if c.state = 'archived' then
		return false;
	end if;
	if c.state in ('running', 'paused') or exists (select from calls where campaign_id = c.id
		and state <> 'ended') then
		raise exception 'Stop the campaign first, and let its calls end.' using errcode = 'TL409',
			hint = 'campaign_live';
	end if;
	update enrollments set state = 'canceled', changed_at = at_time
	where campaign_id = c.id and state in ('waiting', 'blocked');
	update campaigns set state = 'archived' where id = c.id;
	return true;
end
$$;

-- What would happen if it started now: {"total", "judged", "now", "later", "later_from", "blocked":
-- {reason: n}}.
-- The first a_most are judged one by one; total counts all.
create or replace function campaign_preflight(a_campaign bigint, a_most int,
	at_time timestamptz) returns jsonb
	language sql stable as $$
	with first as (
		select lead_id from enrollments where campaign_id = a_campaign and state in ('waiting', 'blocked')
		order by state, id limit a_most
	), judged as (
		select k.* from first f cross join lateral contactability(f.lead_id, 'call', a_campaign, at_time) k
	)
	select jsonb_build_object(
		'total', (select count(*) from enrollments where campaign_id = a_campaign and state in ('waiting',
			'blocked')),
		'judged', (select count(*) from judged),
		'now', (select count(*) from judged where allowed),
		'later', (select count(*) from judged where not allowed and not permanent),
		'later_from', (select min(next_at) from judged where not allowed and not permanent),
		'blocked', coalesce((select jsonb_object_agg(reason, n) from (select reason, count(*) as n from judged
			where permanent group by reason) b), '{}'),
		'waits', coalesce((select jsonb_object_agg(reason, n) from (select reason, count(*) as n from judged
			where not allowed and not permanent group by reason) w), '{}'))
$$;
