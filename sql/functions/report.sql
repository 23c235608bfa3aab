-- What came of calls: one path for webhooks and look-ups, applied once, whatever the order they come in.
set check_function_bodies = off;

-- Done is a query, never a flag that somebody forgot to set: nothing of it is left to do. Blocked leads stay
-- visible but do not hold a campaign open.
create or replace function campaign_finish_if_done(a_campaign bigint, at_time timestamptz) returns void
	language plpgsql as $$
begin
	update campaigns set state = 'done', finished_at = at_time
	where id = a_campaign and state = 'running'
		and not exists (select from enrollments where campaign_id = a_campaign and state = 'waiting')
		-- The oldest, because only one index is in that order: else all finished ones may be walked past.
		and (select min(changed_at) from enrollments where campaign_id = a_campaign
			and state in ('under_way', 'ambiguous')) is null
		and not exists (select from jobs where campaign_id = a_campaign);
end
$$;

-- The same for all campaigns of a client; and what a person was asked about and came to light since, needs no
-- person any more.
create or replace function campaigns_finish(a_client bigint, at_time timestamptz) returns void
	language plpgsql as $$
begin
	perform campaign_finish_if_done(id, at_time) from campaigns where client_id = a_client and state = 'running';
	update alerts set resolved_at = at_time where client_id = a_client and kind = 'ambiguous_call'
		and resolved_at is null and not exists (select from calls
			where 'call ' || id = alerts.subject and ended_at is null and client_id = a_client);
end
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

-- Why a lead whose calls failed is given up, in a word that pages can explain.
create or replace function failure_reason(a_reason text) returns text language sql immutable as $$
	select case when a_reason in ('transient', 'unavailable', 'rate_limited', 'other') then 'provider_error'
		else coalesce(nullif(a_reason, ''), 'failed') end
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
	why := case when a_call.outcome = 'failed' then failure_reason(a_call.reason)
		when a_call.outcome in ('invalid_number', 'do_not_contact') then a_call.outcome end;
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

-- Writes down that a_id means this call; NULL where it means another one already, or is none.
create or replace function provider_id_taken(a_provider text, a_id text, a_call uuid) returns text
	language plpgsql as $$
begin
	insert into provider_ids (provider, provider_call_id, call_id) select a_provider, a_id, a_call
	where a_id is not null
	on conflict (provider, provider_call_id) do update
		set call_id = coalesce(provider_ids.call_id, excluded.call_id);
	return (select provider_call_id from provider_ids
		where provider = a_provider and provider_call_id = a_id and call_id = a_call);
end
$$;

-- The call that a report is about, locked; by our own id, else by the provider's. All NULL: none of ours.
create or replace function call_reported(a_provider text, r jsonb) returns calls language plpgsql as $$
declare
	call calls;
begin
	select * into call from calls where id = (r->>'attempt_id')::uuid and provider = a_provider for update;
	if not found then
		select c.* into call from provider_ids p join calls c on c.id = p.call_id
		where p.provider = a_provider and p.provider_call_id = r->>'provider_call_id' for update of c;
	end if;
	if not found and r->>'provider_call_id' is not null then
		-- The answer that makes the id known may be written down at this very moment: whoever comes second waits
		-- here for the first, and sees what it did.
		insert into provider_ids (provider, provider_call_id) values (a_provider, r->>'provider_call_id')
		on conflict (provider, provider_call_id) do update set call_id = provider_ids.call_id;
		select c.* into call from provider_ids p join calls c on c.id = p.call_id
		where p.provider = a_provider and p.provider_call_id = r->>'provider_call_id' for update of c;
	end if;
	return call;
end
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
		provider_call_id = coalesce(calls.provider_call_id,
			provider_id_taken(a_call.provider, r->>'provider_call_id', a_call.id)),
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
	-- Now that its id is known: what came about it before.
	if a_call.provider_call_id is null and k.provider_call_id is not null then
		perform events_catch_up(k.id, at_time);
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
	call := call_reported(a_provider, r);
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

-- Stores and applies a batch of events in one transaction; each array has one element per event, verdicts
-- come back in the same order. wake: a slot is free and somebody waits for it; who asked then
-- tells the dialers, after the commit, since a NOTIFY inside it would let one transaction wait for another.
-- The common case, the first report of a call that is under way, is done for all of them at once; the others
-- go one by one. Whether a campaign is over by it, the dialer looks (campaigns_finish): it need not be known
-- within the second.
create or replace function events_receive(a_provider text, a_keys text[], a_attempts text[],
	a_signatures text[], a_bodies text[], a_headers text[], a_reports text[], at_time timestamptz,
	out verdicts text[], out wake boolean) language plpgsql
	-- A batch is small and the tables are not; a plan made while they were empty must not stay.
	set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
	done int[];
	concerned bigint[];
	i int;
begin
	-- One order for all, so that two batches never wait for each other.
	perform from calls where id = any (a_attempts::uuid[]) order by id for update;
	with given as materialized (
		select g.n, g.key, g.attempt_id, g.signature, g.body, g.headers, x.*,
			row_number() over (partition by g.attempt_id order by g.n) as place
		from unnest(a_keys, a_attempts::uuid[], a_signatures, a_bodies, a_headers, a_reports) with ordinality
			g (key, attempt_id, signature, body, headers, report, n)
		cross join lateral jsonb_to_record(g.report::jsonb) x (provider_call_id text, kind text, final boolean,
			suppress boolean, number_invalid boolean, outcome text, reason text, rule text, rule_version int,
			rank int, started_at timestamptz, ended_at timestamptz, answered_by text, disposition text,
			ended_by text, duration_seconds int, cost_micros bigint, transcript text, turns jsonb, summary text,
			recording_url text, error_message text)
		where g.signature <> 'bad' and g.attempt_id is not null
	), plain as materialized (
		select g.*, c.campaign_id, c.enrollment_id, c.lead_id, c.step, c.try, c.created_at, e.attempts,
			m.max_attempts, m.retry_policy,
			coalesce(g.outcome, 'unknown') not in ('failed', 'invalid_number', 'do_not_contact') as good,
			case when m.state <> 'archived' and m.stopped_at is null and e.attempts + 1 < m.max_attempts
				then retry_key(g.outcome, coalesce(g.reason, '')) else '' end as retry
		from given g
		join calls c on c.id = g.attempt_id and c.provider = a_provider and c.provider_call_id = g.provider_call_id
			and c.state in ('placing', 'placed', 'under_way')
		join enrollments e on e.id = c.enrollment_id and e.tries = c.try and e.state = 'under_way'
		join campaigns m on m.id = c.campaign_id
		where g.kind = 'post_call' and g.final and g.place = 1 and g.suppress is not true
			and g.number_invalid is not true
			-- With its limit this is a look at the index for each, and never a join that reads all events there are.
			and (select v.id from events v where v.provider = a_provider and v.dedupe_key = g.key limit 1) is null
	), ended as (
		update calls c set state = 'ended', lease_token = null, lease_until = null, deadline_at = null,
			placed_at = coalesce(c.placed_at, at_time), started_at = coalesce(p.started_at, c.started_at),
			ended_at = coalesce(p.ended_at, at_time), outcome = p.outcome, reason = nullif(p.reason, ''),
			rule = p.rule, rule_version = p.rule_version, outcome_rank = coalesce(p.rank, 0),
			answered_by = nullif(p.answered_by, ''), disposition = nullif(p.disposition, ''),
			ended_by = nullif(p.ended_by, ''), duration_seconds = p.duration_seconds, cost_usd = p.cost_micros,
			transcript = nullif(p.transcript, ''), turns = nullif(p.turns, '[]'), summary = nullif(p.summary, ''),
			recording_url = nullif(p.recording_url, ''), error_message = nullif(p.error_message, '')
		from plain p where c.id = p.attempt_id
	), planned as materialized (
		select p.*, case when p.retry <> '' then retry_at(p.retry_policy, p.retry, (
				-- Earlier calls of this step that ended the same way.
				select count(*)::int from calls k where k.enrollment_id = p.enrollment_id and k.step = p.step
					and k.id <> p.attempt_id and k.state = 'ended' and coalesce(nullif(k.reason, 'other'), k.outcome)
						is not distinct from coalesce(nullif(nullif(p.reason, ''), 'other'), p.outcome)),
				p.attempt_id::text, at_time) end as again,
			case when p.outcome = 'failed' then failure_reason(p.reason)
				when p.outcome in ('invalid_number', 'do_not_contact') then p.outcome end as why
		from plain p
	), journeys as (
		update enrollments e set outcome = p.outcome, attempts = e.attempts + 1, changed_at = at_time,
			state = case when p.again is not null then 'waiting' when p.good then 'done' else 'error' end,
			due_at = coalesce(p.again, e.due_at),
			reason = case when p.again is not null then 'retry:' || p.retry else p.why end
		from planned p where e.id = p.enrollment_id
	), noted as (
		insert into decisions (enrollment_id, at, kind, reason, next_at)
		select enrollment_id, at_time,
			case when again is not null then 'retry' when good then 'done' else 'error' end,
			case when again is not null then coalesce(nullif(reason, ''), outcome) else coalesce(why, outcome) end,
			again
		from planned
	), people as (
		update leads l set outcome = p.outcome, last_call_id = p.attempt_id, last_call_at = p.created_at,
			updated_at = at_time, status = case when p.again is not null then l.status when p.good then 'done'
				else 'error' end,
			status_reason = case when p.again is not null then l.status_reason else p.why end
		from planned p where l.id = p.lead_id
	), kept as (
		insert into events (provider, dedupe_key, kind, provider_call_id, call_id, signature, verdict, received_at,
			applied_at, body, headers)
		select a_provider, key, kind, provider_call_id, attempt_id, signature, 'applied', at_time, at_time, body,
			headers::jsonb
		from plain order by key
	)
	select coalesce(array_agg(n), '{}'), coalesce(array_agg(distinct campaign_id), '{}') into done, concerned
	from plain;
	for i in 1 .. cardinality(a_keys) loop
		verdicts[i] := case when i = any (done) then 'applied'
			else event_receive(a_provider, a_keys[i], a_signatures[i], a_bodies[i], a_headers[i]::jsonb,
				a_reports[i]::jsonb, at_time) end;
	end loop;
	wake := exists (select from enrollments where campaign_id = any (concerned) and state = 'waiting'
		and due_at <= at_time + interval '1 second');
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
	call := call_reported(v.provider, r);
	if call.id is null then
		return v.verdict;
	end if;
	result := report_apply(call, r, at_time);
	update events set verdict = case when verdict = 'applied' then 'applied' else result end, call_id = call.id,
		applied_at = coalesce(applied_at, at_time), normalized = null where id = a_event;
	return result;
end
$$;
