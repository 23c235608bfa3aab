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
	if a_fields->>'prompt_id' is not null and not exists (select from prompts
			where id = (a_fields->>'prompt_id')::bigint and client_id = a_client and archived_at is null) then
		raise exception 'There is no such prompt.' using errcode = 'TL422', hint = 'prompt_id';
	end if;
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

-- How many pending leads (of an import, or all) no campaign has yet; counts no further than a_most. By
-- hashes: the plan may be older than the leads, and where it takes many for few it compares all with all.
create or replace function leads_free(a_client bigint, a_import bigint, a_most int) returns bigint
	language sql stable set enable_nestloop = off as $$
	select count(*) from (select from leads l where l.client_id = a_client and l.archived_at is null
		and l.status = 'pending' and (a_import is null or l.import_id = a_import)
		and not exists (select from enrollments e join campaigns o on o.id = e.campaign_id
			where e.lead_id = l.id and o.state <> 'archived'
				and e.state in ('waiting', 'under_way', 'ambiguous', 'blocked'))
		limit a_most) x
$$;

-- What pages count of a campaign is counted anew: by each who comes where that is quick, else by one of them
-- while the others still get the last figures.
create or replace function campaign_touched(a_campaign bigint) returns void language sql as $$
	delete from tallies where subject in ('campaign ' || a_campaign, 'reasons ' || a_campaign, 'free')
		and took < interval '40 ms';
	update tallies set at = '-infinity'
	where subject in ('campaign ' || a_campaign, 'reasons ' || a_campaign, 'free')
$$;

-- As people see it: one that was stopped is running until its calls have ended.
create or replace function campaign_status(c campaigns) returns text language sql immutable as $$
	select case when c.state = 'running' and c.stopped_at is not null then 'stopping' else c.state end
$$;

-- What has more leads than one piece goes on in `trunkline jobs` (job.sql). While leads are being taken off
-- nobody is added and nothing starts: what comes then could not be told from what was there.
create or replace function campaign_not_stopping(c campaigns) returns void language plpgsql as $$
begin
	if exists (select from jobs where campaign_id = c.id and kind = 'cancel') then
		raise exception 'The leads of this campaign are just being taken off. Try again when that is done.'
			using errcode = 'TL409', hint = 'campaign_stopping';
	end if;
end
$$;

-- Puts leads into a campaign: those an import brought (a_known: those that it only met), those named, those
-- of a list, or all. Only pending ones that no other open campaign has; those that are blocked in one that is
-- done move here. A campaign that was done runs again. Returns how many the first piece put there.
-- Locks the client, so that nobody is put into two campaigns at once.
drop function if exists campaign_enrol(bigint, bigint, bigint[], timestamptz);
create or replace function campaign_enrol(a_campaign bigint, a_import bigint, a_leads bigint[],
	at_time timestamptz, a_list text default null, a_known boolean default false) returns integer
	language plpgsql as $$
declare
	c campaigns;
	j jobs;
begin
	perform 1 from clients where id = (select client_id from campaigns where id = a_campaign) for no key update;
	select * into c from campaigns where id = a_campaign for update;
	if not found or c.state = 'archived' then
		raise exception 'There is no such open campaign.' using errcode = 'TL404', hint = 'not_found';
	end if;
	perform campaign_not_stopping(c);
	j.kind := 'enrol';
	j.client_id := c.client_id;
	j.campaign_id := c.id;
	j.import_id := a_import;
	j.leads := a_leads;
	j.list := a_list;
	j.known := a_known;
	j := job_begin(j, at_time);
	if j.changed > 0 then
		perform campaign_touched(c.id);
	end if;
	return j.changed;
end
$$;
drop function if exists leads_pending(bigint, bigint, bigint[]);

-- A piece of it. One look at each lead and never a join of many with many: the plan may be older than the
-- leads, and where it takes ten thousand new ones for one, they are compared with each other.
create or replace function enrol_leads(a_campaign bigint, a_leads bigint[], at_time timestamptz)
	returns integer language plpgsql set enable_seqscan = off as $$
declare
	c campaigns;
	n integer;
begin
	select * into c from campaigns where id = a_campaign;
	with added as (
		insert into enrollments (client_id, campaign_id, lead_id, due_at, reason, created_at, changed_at)
		select c.client_id, c.id, l.id, at_time, 'new', at_time, at_time
		from (select distinct unnest(a_leads) as id) p
		cross join lateral (select * from leads x where x.id = p.id offset 0) l
		where l.client_id = c.client_id and l.archived_at is null and l.status = 'pending'
			-- Whom a stopped campaign is about to take off is free, unless a call may have reached them before.
			and not exists (select from (select * from enrollments x where x.lead_id = l.id offset 0) e
				join campaigns o on o.id = e.campaign_id
				where e.campaign_id <> c.id and o.state <> 'archived' and (e.state in ('under_way', 'ambiguous')
					or e.state = 'waiting' and (o.stopped_at is null or e.attempts > 0)
					or e.state = 'blocked' and o.state in ('draft', 'running', 'paused')
						and (o.stopped_at is null or e.attempts > 0)))
		order by l.id
		on conflict (campaign_id, lead_id) do update set state = 'waiting', due_at = excluded.due_at,
			reason = 'new', changed_at = excluded.changed_at where enrollments.state in ('canceled', 'blocked')
		returning lead_id
	), moved as (
		update enrollments e set state = 'canceled', reason = 'moved', changed_at = at_time
		from added a cross join lateral (select * from enrollments x where x.lead_id = a.lead_id offset 0) b
		where e.id = b.id and b.campaign_id <> c.id and e.state = 'blocked'
		returning e.id, e.campaign_id
	), noted as (
		insert into decisions (enrollment_id, at, kind, reason)
		select id, at_time, 'canceled', 'moved' from moved
	), recounted as (
		delete from tallies where subject in (select word || campaign_id
			from moved, unnest('{"campaign ", "reasons "}'::text[]) word)
	)
	select count(*) into n from added;
	if n > 0 and (c.state = 'done' or c.stopped_at is not null) then
		update campaigns set state = 'running', stopped_at = null, finished_at = null where id = c.id;
	end if;
	if n > 0 then
		perform pg_notify('dialer', '') where c.state in ('done', 'running');
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
	j jobs;
begin
	if c.state = 'archived' then
		raise exception 'An archived campaign cannot be started.'
			using errcode = 'TL409', hint = 'campaign_archived';
	end if;
	if c.state = 'running' and c.stopped_at is null then
		return false;
	end if;
	perform campaign_not_stopping(c);
	if not exists (select from enrollments where campaign_id = c.id
			and state in ('waiting', 'under_way', 'ambiguous', 'blocked'))
			and not exists (select from jobs where campaign_id = c.id and kind = 'enrol') then
		raise exception 'Nobody is left to call in this campaign. Add leads first.'
			using errcode = 'TL409', hint = 'no_leads';
	end if;
	-- Blocked ones are judged anew: what blocked them may have been mended meanwhile.
	delete from jobs where campaign_id = c.id and kind = 'requeue';
	j.kind := 'requeue';
	j.client_id := c.client_id;
	j.campaign_id := c.id;
	perform job_begin(j, at_time);
	update campaigns set state = 'running', state_reason = null, started_at = coalesce(started_at, at_time),
		started_by = a_user, paused_at = null, stopped_at = null, finished_at = null where id = c.id;
	update alerts set resolved_at = at_time, resolved_by = a_user where client_id = c.client_id
		and kind = 'campaign_paused' and subject = 'campaign ' || c.id and resolved_at is null;
	perform campaign_touched(c.id);
	perform pg_notify('dialer', '');
	return true;
end
$$;

-- A piece of it.
create or replace function requeue_leads(a_campaign bigint, a_leads bigint[], at_time timestamptz)
	returns integer language plpgsql set enable_seqscan = off as $$
declare
	n integer;
begin
	update enrollments set state = 'waiting', due_at = at_time, changed_at = at_time
	where campaign_id = a_campaign and lead_id = any (a_leads) and state = 'blocked';
	get diagnostics n = row_count;
	if n > 0 then
		perform pg_notify('dialer', '');
	end if;
	return n;
end
$$;

-- Nothing new is called; calls under way finish; those that wait keep waiting.
create or replace function campaign_pause(a_client bigint, a_campaign bigint, a_user bigint,
	at_time timestamptz) returns boolean language plpgsql as $$
declare
	c campaigns := campaign_locked(a_client, a_campaign);
begin
	-- One that was stopped and waits for its last calls has nothing left to pause.
	if c.state = 'paused' or c.stopped_at is not null and c.state = 'running' then
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

-- A piece of stopping or archiving: takes those off who wait.
create or replace function cancel_leads(a_campaign bigint, a_leads bigint[], a_user bigint,
	at_time timestamptz) returns integer language plpgsql set enable_seqscan = off as $$
declare
	archived boolean := (select state = 'archived' from campaigns where id = a_campaign);
	n integer;
begin
	with off as (
		update enrollments set state = 'canceled', reason = null, changed_at = at_time
		where campaign_id = a_campaign and lead_id = any (a_leads) and state in ('waiting', 'blocked')
		returning id, lead_id, attempts
	), noted as (
		insert into decisions (enrollment_id, at, kind, reason, user_id)
		select id, at_time, 'canceled', case when archived then 'the campaign was archived'
			else 'the campaign was stopped' end, a_user from off
	), back as (
		-- Who may have been reached before is done with; who was not can be called by another campaign.
		update leads l set status = 'done', updated_at = at_time
		from off o where l.id = o.lead_id and l.status = 'pending' and o.attempts > 0 and not archived
	)
	select count(*) into n from off;
	return n;
end
$$;

-- Begins it. Returns how many the campaign will have lost; of many leads as the dashboard counted them last,
-- since a button that stops calls must not wait for a count.
create or replace function campaign_cancel(c campaigns, a_user bigint, at_time timestamptz) returns integer
	language plpgsql as $$
declare
	counted jsonb := tally(c.client_id, 'campaign ' || c.id, at_time);
	j jobs;
begin
	delete from jobs where campaign_id = c.id and kind in ('enrol', 'requeue');
	if exists (select from jobs where campaign_id = c.id) then
		return 0; -- it is being done
	end if;
	j.kind := 'cancel';
	j.client_id := c.client_id;
	j.campaign_id := c.id;
	j.user_id := a_user;
	j.total := counted->>'total';
	j := job_begin(j, at_time);
	return case when j.after_lead is null then j.changed else (counted->>'left')::int end;
end
$$;

-- Takes everybody off who still waits; calls under way finish, then it is done. From this moment on nobody of
-- it is called, however long the taking off takes. Returns how many are taken off.
create or replace function campaign_stop(a_client bigint, a_campaign bigint, a_user bigint,
	at_time timestamptz) returns integer language plpgsql as $$
declare
	c campaigns := campaign_locked(a_client, a_campaign);
	n integer;
begin
	if c.state in ('running', 'paused') then
		update campaigns set state = 'running', state_reason = null, paused_at = null,
			stopped_at = coalesce(stopped_at, at_time) where id = c.id;
	end if;
	n := campaign_cancel(c, a_user, at_time);
	perform campaign_finish_if_done(c.id, at_time);
	perform campaign_touched(c.id);
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
		and ended_at is null) then
		raise exception 'Stop the campaign first, and let its calls end.' using errcode = 'TL409',
			hint = 'campaign_live';
	end if;
	update campaigns set state = 'archived' where id = c.id;
	perform campaign_cancel(c, a_user, at_time);
	perform campaign_touched(c.id);
	return true;
end
$$;

-- What would happen if it started now: {"total", "judged", "now", "later", "later_from", "blocked":
-- {reason: n}, "waits": {reason: n}, "waves": [{"at", "n"}]}; waves: how many become callable in which hour.
-- Of more than a_most leads a sample is judged and its shares stand for all; judged < total says so. In any
-- case total = now + later + blocked. "adding": how many leads are still to be looked at and added.
create or replace function campaign_preflight(a_campaign bigint, a_most int, at_time timestamptz)
	returns jsonb language sql stable as $$
	with size as (
		select count(*) as total, ceil(count(*)::numeric / greatest(a_most, 1))::bigint as stride
		from enrollments where campaign_id = a_campaign and state in ('waiting', 'blocked')
	), sample as (
		select e.lead_id from size, enrollments e where e.campaign_id = a_campaign
			and e.state in ('waiting', 'blocked') and (hashint8(e.id) & 2147483647) % stride = 0
	), judged as materialized (
		select k.* from contactability_of(array(select lead_id from sample), 'call', a_campaign, at_time) k
	), scale as (
		select total, n as judged, total / greatest(1, n)::numeric as factor
		from size, (select count(*) as n from judged) j
	), kinds as (
		select reason, permanent, round(count(*) * max(factor))::bigint as n from judged, scale
		where not allowed group by 1, 2
	)
	select jsonb_build_object('total', total, 'judged', judged,
		'adding', (select coalesce(sum(j.total - j.looked_at), 0) from jobs j
			where j.campaign_id = a_campaign and j.kind = 'enrol'),
		'now', greatest(0, total - coalesce((select sum(n) from kinds), 0)),
		'later', coalesce((select sum(n) from kinds where not permanent), 0),
		'later_from', (select min(next_at) from judged where not allowed and not permanent),
		'blocked', coalesce((select jsonb_object_agg(reason, n) from kinds where permanent), '{}'),
		'waits', coalesce((select jsonb_object_agg(reason, n) from kinds where not permanent), '{}'),
		'waves', coalesce((select jsonb_agg(jsonb_build_object('at', at, 'n', round(n * factor)) order by at)
			from (select date_trunc('hour', next_at) as at, count(*) as n from judged
				where not allowed and not permanent group by 1 order by 1 limit 240) w), '[]'))
	from scale
$$;

-- Campaigns that were made in the sandbox have its hours and waits: they never call real people.
create or replace function campaigns_leave_sandbox(at_time timestamptz) returns integer language plpgsql as $$
declare
	n integer;
begin
	update campaigns set state = 'paused', paused_at = at_time,
		state_reason = 'It was made in the sandbox, for trying. Stop it and make a new one to call for real.'
	where state = 'running' and settings->>'sandbox' = 'true';
	get diagnostics n = row_count;
	return n;
end
$$;
