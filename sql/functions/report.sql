-- What came of calls: one path for webhooks and look-ups, applied once, whatever the order they come in.
set check_function_bodies = off;

-- Done is a query, never a flag that somebody forgot to set: nothing of it is left to do. Blocked leads stay
-- visible but do not hold a campaign open.
create or replace function campaign_finish_if_done(a_campaign bigint, at_time timestamptz) returns void
	language sql as $$
	update campaigns set state = 'done', finished_at = at_time
	where id = a_campaign and state = 'running'
		and not exists (select from enrollments where campaign_id = a_campaign and state = 'waiting')
		and not exists (select from enrollments where campaign_id = a_campaign and state = 'under_way')
		and not exists (select from enrollments where campaign_id = a_campaign and state = 'ambiguous')
$$;

-- Tells idle dialers that a slot is free, but only where somebody waits for it: a NOTIFY is serialised.
create or replace function wake_dialer(a_campaign bigint, at_time timestamptz) returns void
	language plpgsql as $$
begin
	if exists (select from enrollments where campaign_id = a_campaign and state = 'waiting'
			and due_at <= at_time + interval '1 second') then
		perform pg_notify('dialer', '');
	end if;
end
$$;

create or replace function raise_alert(a_client bigint, a_kind text, a_subject text, a_message text,
	a_link text, at_time timestamptz) returns void language sql as $$
	insert into alerts (client_id, kind, subject, message, link, first_at, last_at)
	values (a_client, a_kind, a_subject, a_message, a_link, at_time, at_time)
	on conflict (coalesce(client_id, 0), kind, subject) where resolved_at is null
	do update set count = alerts.count + 1, last_at = excluded.last_at, message = excluded.message
$$;

-- A standing order from a call: suppressed on all channels, consent withdrawn.
create or replace function suppress_from_call(a_call calls, a_reason text, at_time timestamptz) returns void
	language plpgsql as $$
begin
	insert into suppressions (client_id, phone, reason, source, call_id, created_at)
	values (a_call.client_id, a_call.phone, a_reason, 'call', a_call.id, at_time) on conflict do nothing;
	insert into consents (client_id, lead_id, channel, granted, source, evidence, at, call_id, recorded_at)
	select a_call.client_id, a_call.lead_id, ch, false, 'said so in a call', 'call ' || a_call.id, at_time,
		a_call.id,
		at_time
	from unnest('{call,sms,whatsapp,email}'::text[]) ch;
end
$$;

-- The journey goes on after a call has ended: another try, or its end. a_key names the row of the retry
-- policy
-- ('' = never again); a_reached says whether the attempt counts as one that may have reached the person.
create or replace function conclude(a_call calls, a_key text, a_reached boolean, a_wait interval,
	at_time timestamptz) returns void language plpgsql as $$
declare
	e enrollments;
	c campaigns;
	before int;
	again timestamptz;
	good boolean := a_call.outcome not in ('failed', 'invalid_number', 'do_not_contact');
	why text;
begin
	select * into e from enrollments where id = a_call.enrollment_id for update;
	-- A newer try has begun: what this one says late changes nothing of the journey.
	if not found or e.tries <> a_call.try or e.state in ('canceled') then
		return;
	end if;
	select * into c from campaigns where id = e.campaign_id;
	-- Earlier calls of this step that ended the same way.
	select count(*) into before from calls k where k.enrollment_id = e.id and k.step = a_call.step
		and k.id <> a_call.id and k.state = 'ended'
		and coalesce(nullif(k.reason, 'other'), k.outcome) is not distinct from
			coalesce(nullif(a_call.reason, 'other'), a_call.outcome);
	if a_key <> '' and (not a_reached or e.attempts + 1 < c.max_attempts) then
		again := retry_at(c.retry_policy, a_key, before, a_call.id::text, at_time);
		again := greatest(again, at_time + a_wait);
		-- A stopped campaign places nothing new.
		if c.state = 'archived' or c.stopped_at is not null then
			again := null;
		end if;
	end if;
	why := case when a_call.outcome = 'failed' then coalesce(nullif(a_call.reason, ''), 'failed')
		when a_call.outcome in ('invalid_number', 'do_not_contact') then a_call.outcome end;
	if why in ('transient', 'unavailable', 'rate_limited', 'other') then
		why := 'provider_error';
	end if;
	if again is not null then
		update enrollments set state = 'waiting', due_at = again,
			reason = case when a_key in ('rate_limited') then 'rate_limited' else 'retry:' || a_key end,
			outcome = a_call.outcome, attempts = attempts + a_reached::int, changed_at = at_time where id = e.id;
		insert into decisions (enrollment_id, at, kind, reason, next_at)
		values (e.id, at_time, 'retry', coalesce(nullif(a_call.reason, ''), a_call.outcome), again);
		update leads set outcome = a_call.outcome, last_call_id = a_call.id, last_call_at = a_call.created_at,
			updated_at = at_time where id = a_call.lead_id;
		return;
	end if;
	update enrollments set state = case when good then 'done' else 'error' end, reason = why,
		outcome = a_call.outcome, attempts = attempts + a_reached::int, changed_at = at_time where id = e.id;
	insert into decisions (enrollment_id, at, kind, reason)
	values (e.id, at_time, case when good then 'done' else 'error' end, coalesce(why, a_call.outcome));
	update leads set status = case when good then 'done' else 'error' end, status_reason = why,
		outcome = a_call.outcome, last_call_id = a_call.id, last_call_at = a_call.created_at, updated_at = at_time
	where id = a_call.lead_id;
	perform campaign_finish_if_done(e.campaign_id, at_time);
end
$$;

-- The row of the retry policy for an outcome; '' where nobody calls again.
create or replace function retry_key(a_outcome text, a_reason text) returns text language sql immutable as $$
	select case when a_outcome in ('no_answer', 'busy', 'voicemail', 'hangup') then a_outcome
		when a_outcome = 'failed' and a_reason in ('unavailable', 'other', 'transient') then 'failed'
		else '' end
$$;

-- A final report about one call, whose row the caller has locked. Returns the event's verdict.
create or replace function report_final(a_call calls, r jsonb, at_time timestamptz) returns text
	language plpgsql as $$
declare
	k calls := a_call;
	rank int := coalesce((r->>'rank')::int, 0);
	first boolean := a_call.state <> 'ended';
	better boolean := first or rank > a_call.outcome_rank;
begin
	-- What is known stays known: an emptier report erases nothing.
	update calls set
		state = 'ended', lease_token = null, lease_until = null, deadline_at = null,
		provider_call_id = coalesce(calls.provider_call_id, case when not exists (select from calls o
			where o.provider = a_call.provider and o.provider_call_id = r->>'provider_call_id' and o.id <> a_call.id)
			then r->>'provider_call_id' end),
		placed_at = coalesce(calls.placed_at, at_time),
		started_at = coalesce((r->>'started_at')::timestamptz, calls.started_at),
		ended_at = coalesce(calls.ended_at, (r->>'ended_at')::timestamptz, at_time),
		outcome = case when better then r->>'outcome' else calls.outcome end,
		reason = case when better then nullif(r->>'reason', '') else calls.reason end,
		rule = case when better then r->>'rule' else calls.rule end,
		rule_version = case when better then (r->>'rule_version')::int else calls.rule_version end,
		outcome_rank = case when better then rank else calls.outcome_rank end,
		answered_by = coalesce(nullif(r->>'answered_by', ''), calls.answered_by),
		disposition = coalesce(nullif(r->>'disposition', ''), calls.disposition),
		ended_by = coalesce(nullif(r->>'ended_by', ''), calls.ended_by),
		duration_seconds = coalesce((r->>'duration_seconds')::int, calls.duration_seconds),
		cost_usd = coalesce((r->>'cost_micros')::bigint, calls.cost_usd),
		transcript = coalesce(nullif(r->>'transcript', ''), calls.transcript),
		turns = coalesce(case when jsonb_array_length(r->'turns') > 0 then r->'turns' end, calls.turns),
		summary = coalesce(nullif(r->>'summary', ''), calls.summary),
		recording_url = coalesce(nullif(r->>'recording_url', ''), calls.recording_url),
		error_message = coalesce(nullif(r->>'error_message', ''), calls.error_message)
	where id = a_call.id returning * into k;
	if better and (r->>'suppress')::boolean then
		perform suppress_from_call(k, 'asked not to be called', at_time);
	end if;
	if better and (r->>'number_invalid')::boolean then
		update leads set number_state = 'invalid' where id = k.lead_id;
	end if;
	-- The attempt was counted when the first report came; conclude counts it anew.
	if better and not first and a_call.outcome_rank > 0 then
		update enrollments set attempts = greatest(attempts - 1, 0)
		where id = k.enrollment_id and tries = k.try and state <> 'canceled';
	end if;
	if better then
		perform conclude(k, retry_key(k.outcome, coalesce(k.reason, '')), true, interval '0', at_time);
	end if;
	if first then
		perform wake_dialer(k.campaign_id, at_time);
	end if;
	return case when better then 'applied' else 'noted' end;
end
$$;

-- Applies a report to a call, whatever the call's state.
create or replace function report_apply(a_call calls, r jsonb, at_time timestamptz) returns text
	language plpgsql as $$
begin
	if r->>'kind' = 'post_call' and (r->>'final')::boolean then
		return report_final(a_call, r, at_time);
	end if;
	if r->>'state' = 'under_way' and a_call.state in ('placing', 'placed') then
		update calls set state = case when state = 'placed' then 'under_way' else state end,
			started_at = coalesce(started_at, at_time) where id = a_call.id;
		return 'applied';
	end if;
	return 'noted';
end
$$;

-- Stores what a provider sent and applies it once. a_key is a digest of the body, so the same event is known
-- again however often it comes; the transaction that holds the effect holds the event. Returns the verdict.
drop function if exists event_receive(text, text, text, text, jsonb, jsonb, timestamptz);
create function event_receive(a_provider text, a_key text, a_signature text, a_body text, a_headers jsonb,
	r jsonb, at_time timestamptz) returns text language plpgsql as $$
declare
	event_id bigint;
	times int;
	call calls;
	result text;
begin
	insert into events (provider, dedupe_key, kind, provider_call_id, signature, verdict, received_at, body,
		headers)
	values (a_provider, a_key, coalesce(r->>'kind', 'unreadable'), r->>'provider_call_id', a_signature,
		case when a_signature = 'bad' then 'refused' when r->>'kind' = 'unreadable' then 'unreadable'
			else 'unknown_call' end, at_time, a_body, coalesce(a_headers, '{}'))
	on conflict (provider, dedupe_key) do update set deliveries = events.deliveries + 1
	returning id, deliveries, verdict into event_id, times, result;
	if times > 1 and result <> 'unknown_call' then
		return 'duplicate';
	end if;
	if result in ('refused', 'unreadable') then
		return result;
	end if;
	if r ? 'attempt_id' then
		select * into call from calls where id = (r->>'attempt_id')::uuid and provider = a_provider for update;
	end if;
	if call.id is null and r ? 'provider_call_id' then
		select * into call from calls where provider = a_provider and provider_call_id = r->>'provider_call_id'
			for update;
	end if;
	if call.id is null then
		-- It may be about a call whose POST was not answered yet: kept, and applied when the id is known.
		update events set normalized = r where id = event_id;
		return 'unknown_call';
	end if;
	result := report_apply(call, r, at_time);
	update events set verdict = result, call_id = call.id, applied_at = at_time, normalized = null
	where id = event_id;
	return result;
end
$$;

-- Events that came before their call's id was known. The caller has locked the call.
create or replace function events_catch_up(a_call uuid, at_time timestamptz) returns void
	language plpgsql as $$
declare
	call calls;
	v events;
	result text;
begin
	select * into call from calls where id = a_call;
	for v in select * from events where provider = call.provider and provider_call_id = call.provider_call_id
			and verdict = 'unknown_call' and normalized is not null order by id for update loop
		result := report_apply(call, v.normalized, at_time);
		update events set verdict = result, call_id = a_call, applied_at = at_time, normalized = null
		where id = v.id;
		select * into call from calls where id = a_call;
	end loop;
end
$$;

-- Applies a stored event once more, read anew: after its call became known, or a mended reader. Nothing can
-- happen twice by it, since a report only ever adds what was not known. Refused events stay refused.
create or replace function event_replay(a_event bigint, r jsonb, at_time timestamptz) returns text
	language plpgsql as $$
declare
	v events;
	call calls;
	result text;
begin
	select * into v from events where id = a_event for update;
	if not found then
		raise exception 'There is no such event.' using errcode = 'TL404', hint = 'not_found';
	end if;
	if v.verdict = 'refused' then
		raise exception 'What came with a wrong signature is not applied.' using errcode = 'TL409',
			hint = 'refused';
	end if;
	select * into call from calls where provider = v.provider and (id = (r->>'attempt_id')::uuid
		or provider_call_id = r->>'provider_call_id') order by id = (r->>'attempt_id')::uuid desc nulls last
		limit 1 for update;
	if call.id is null then
		return v.verdict;
	end if;
	result := report_apply(call, r, at_time);
	update events set verdict = case when verdict = 'applied' then 'applied' else result end, call_id = call.id,
		applied_at = coalesce(applied_at, at_time), normalized = null where id = a_event;
	return result;
end
$$;
