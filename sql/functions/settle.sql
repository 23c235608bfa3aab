-- What the provider answered to our POSTs, and what look-ups found. Verdicts as in providers/bland.h.
set check_function_bodies = off;

-- A call that never reached anybody ends; its enrollment waits again, or errs.
create or replace function call_refused(a_call calls, a_reason text, a_message text, a_key text,
	a_wait interval,
	at_time timestamptz) returns void language plpgsql as $$
declare
	k calls;
begin
	update calls set state = 'ended', outcome = 'failed', reason = a_reason, ended_at = at_time,
		error_message = nullif(a_message, ''), lease_token = null, lease_until = null, deadline_at = null
	where id = a_call.id returning * into k;
	perform conclude(k, a_key, false, a_wait, at_time);
	perform wake_dialer(k.campaign_id, at_time);
end
$$;

-- The enrollment of a refused call waits for a person: same place in the line, nothing counted.
create or replace function call_returned(a_call calls, a_reason text, a_message text, at_time timestamptz)
	returns void language plpgsql as $$
begin
	update calls set state = 'ended', outcome = 'failed', reason = a_reason, ended_at = at_time,
		error_message = nullif(a_message, ''), lease_token = null, lease_until = null, deadline_at = null
	where id = a_call.id;
	update enrollments e set due_at = at_time, changed_at = at_time, reason = 'provider_hold',
		state = case when c.stopped_at is null then 'waiting' else 'canceled' end
	from campaigns c where c.id = e.campaign_id and e.id = a_call.enrollment_id
		and e.state in ('under_way', 'ambiguous') and e.tries = a_call.try;
	perform campaign_finish_if_done(a_call.campaign_id, at_time);
end
$$;

create or replace function settle_one(a_call calls, r jsonb, at_time timestamptz) returns void
	language plpgsql as $$
declare
	verdict text := r->>'verdict';
	why text := coalesce(r->>'reason', '');
	words text := coalesce(r->>'message', '');
	wait interval := coalesce((r->>'wait_ms')::numeric, 0) * interval '1 millisecond';
	held int;
begin
	case verdict
	when 'lead' then
		update calls set error_message = words where id = a_call.id;
		if (r->>'suppress')::boolean then
			perform suppress_from_call(a_call, 'refused by the provider: ' || why, at_time);
		end if;
		if why = 'invalid_number' then
			update leads set number_state = 'invalid' where id = a_call.lead_id;
		end if;
		perform call_refused(a_call, why, words, '', interval '0', at_time);
	when 'wait_lead' then
		perform call_refused(a_call, 'rate_limited', words, 'rate_limited', wait, at_time);
	when 'transient' then
		perform call_refused(a_call, 'transient', words, 'transient', wait, at_time);
	when 'back_off' then
		-- At least two seconds, doubled with each refusal in a row, at most five minutes; their word wins.
		update provider_limits set failures = least(failures + 1, 10), hold_reason = words,
			hold_until = greatest(hold_until, at_time + case when wait > interval '0' then wait
				else least(interval '5 minutes', interval '2 seconds' * power(2, least(failures, 8))) end)
		where client_id = a_call.client_id and provider = a_call.provider;
		perform call_refused(a_call, 'rate_limited', words, 'rate_limited', interval '0', at_time);
	when 'config' then
		perform call_returned(a_call, why, words, at_time);
		update campaigns set state = 'paused', paused_at = at_time, state_reason = words
		where id = a_call.campaign_id and state = 'running';
		perform raise_alert(a_call.client_id, 'campaign_paused', 'campaign ' || a_call.campaign_id,
			'The provider refused a call of this campaign, so it is paused: ' || words,
			'/campaigns/' || a_call.campaign_id, at_time);
	when 'stop' then
		perform call_returned(a_call, why, words, at_time);
		update provider_limits set stopped_reason = why, stopped_at = coalesce(stopped_at, at_time)
		where client_id = a_call.client_id and provider = a_call.provider;
		perform raise_alert(a_call.client_id, 'provider_refused', a_call.provider,
			'The provider refuses all calls: ' || words, '/settings', at_time);
	when 'unknown' then
		update calls set state = 'ambiguous', lease_token = null, lease_until = null,
			unknown_since = r->>'since',
			deadline_at = at_time + coalesce((r->>'lookup_ms')::numeric, 5000) * interval '1 millisecond',
			error_message = nullif(words, '') where id = a_call.id;
		update enrollments set state = 'ambiguous', changed_at = at_time
		where id = a_call.enrollment_id and state = 'under_way' and tries = a_call.try;
		insert into decisions (enrollment_id, at, kind, reason) values (a_call.enrollment_id, at_time,
			'ambiguous', why);
	else
		raise exception 'unknown verdict %', verdict;
	end case;
end
$$;

-- [{"call_id", "verdict", "provider_call_id", "reason", "message", "wait_ms", "suppress", "deadline_ms",
-- "lookup_ms"}]: a batch of answers. A row that is past placing (its report came first) is completed, never
-- thrown back. Returns how many rows were still waiting for their answer.
create or replace function settle_calls(a_results jsonb, at_time timestamptz) returns integer
	language plpgsql
	-- A batch is small and the tables are not; a plan made while they were empty must not stay.
	set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
	placed uuid[];
	ambiguous bigint[]; -- enrollments of calls that nobody knew of until now
	late uuid;
	r jsonb;
	call calls;
	n integer;
begin
	-- One order for all, so that two batches never wait for each other.
	select array_agg(enrollment_id) filter (where state = 'ambiguous') into ambiguous from (select enrollment_id,
		state from calls where id = any (array(select (x->>'call_id')::uuid
			from jsonb_array_elements(a_results) x)) order by id for update) locked;
	with answers as materialized (
		select x.* from jsonb_to_recordset(a_results) x (call_id uuid, verdict text, provider_call_id text,
			deadline_ms numeric)
		where x.verdict = 'placed' limit 1000
	), known as (
		insert into provider_ids (provider, provider_call_id, call_id)
		select c.provider, a.provider_call_id, c.id from answers a join calls c on c.id = a.call_id
		where a.provider_call_id is not null order by 1, 2
		on conflict (provider, provider_call_id) do update
			set call_id = coalesce(provider_ids.call_id, excluded.call_id)
		returning call_id
	), done as (
		update calls c set provider_call_id = coalesce(c.provider_call_id, a.provider_call_id),
			placed_at = coalesce(c.placed_at, at_time),
			state = case when c.state in ('placing', 'ambiguous') then
				case when c.started_at is null then 'placed' else 'under_way' end else c.state end,
			deadline_at = case when c.state in ('placing', 'ambiguous')
				then at_time + coalesce(a.deadline_ms, 180000) * interval '1 millisecond' else c.deadline_at end,
			lease_token = null, lease_until = null
		from answers a where c.id = a.call_id
			and (a.provider_call_id is null or c.id in (select call_id from known))
		returning c.id, c.client_id
	), recovered as (
		-- A success ends the row of refusals.
		update provider_limits l set failures = 0, hold_reason = null
		where l.failures > 0 and l.provider = 'bland' and l.client_id in (select client_id from done)
	)
	select array_agg(id) into placed from done;
	n := coalesce(cardinality(placed), 0);
	if ambiguous is not null then
		update enrollments e set state = 'under_way', changed_at = at_time from calls c
		where c.id = any (placed) and c.state in ('placed', 'under_way') and e.id = c.enrollment_id
			and e.id = any (ambiguous) and e.state = 'ambiguous' and e.tries = c.try;
	end if;
	-- With its limit this is a look at the index for each, and never a walk along all events that wait.
	for late in select c.id from calls c where c.id = any (placed) and (select v.id from events v
			where v.provider = c.provider and v.provider_call_id = c.provider_call_id
				and v.verdict = 'unknown_call' limit 1) is not null loop
		perform events_catch_up(late, at_time);
	end loop;
	if n = jsonb_array_length(a_results) then
		return n;
	end if;
	for r in select x from jsonb_array_elements(a_results) x where x->>'verdict' <> 'placed' loop
		select * into call from calls where id = (r->>'call_id')::uuid;
		-- Its report came before the answer was read: then the answer is old news.
		if call.state in ('placing', 'ambiguous') then
			perform settle_one(call, r, at_time);
			n := n + 1;
		end if;
	end loop;
	return n;
end
$$;

-- Leases that ran out while placing: the process that held them is gone, and nobody knows whether it sent.
drop function if exists expire_leases(timestamptz, bigint);
create or replace function expire_leases(at_time timestamptz, a_lookup_ms bigint, a_since text)
	returns integer language plpgsql as $$
declare
	n integer;
begin
	with gone as (
		update calls set state = 'ambiguous', lease_token = null, lease_until = null, unknown_since = a_since,
			deadline_at = at_time + a_lookup_ms * interval '1 millisecond'
		where id in (select id from calls where ended_at is null and state = 'placing' and lease_until < at_time
			order by id for update skip locked)
		returning enrollment_id, try
	), journeys as (
		update enrollments e set state = 'ambiguous', changed_at = at_time from gone g
		where e.id = g.enrollment_id and e.state = 'under_way' and e.tries = g.try returning e.id
	), noted as (
		insert into decisions (enrollment_id, at, kind, reason)
		select id, at_time, 'ambiguous', 'the dialer ended while placing it' from journeys
	)
	select count(*) into n from gone;
	return n;
end
$$;

-- Calls that the provider is to be asked about now; each is put off by a_lease_seconds, so that no two
-- dialers
-- ask about the same one.
drop function if exists lookups_due(bigint, int, int, timestamptz);
create function lookups_due(a_client bigint, a_most int, a_lease_seconds int, at_time timestamptz)
	returns table (id uuid, state text, phone text, provider_call_id text, created_at timestamptz, lookups int,
		placed_at timestamptz, unknown_since text) language sql as $$
	update calls c set deadline_at = at_time + a_lease_seconds * interval '1 second'
	from (select k.id from calls k where k.client_id = a_client and k.ended_at is null
		and k.state in ('placed', 'under_way', 'ambiguous')
		and k.deadline_at <= at_time order by k.deadline_at limit a_most for update skip locked) due
	where c.id = due.id
	returning c.id, c.state, c.phone, c.provider_call_id, c.created_at, c.lookups, c.placed_at, c.unknown_since
$$;

-- What a look-up found, where that was no final report: "found" (it was placed), "going" (still under way),
-- "absent" (the provider knows nothing of it), "early" (it does not, but the POST may still be on its way) or
-- "away" (it did not answer). Three times absent, well after the POST, is an answer: an ambiguous call was
-- never placed.
create or replace function lookup_done(a_call uuid, a_found text, a_provider_call_id text, a_first_ms bigint,
	at_time timestamptz) returns void language plpgsql as $$
declare
	call calls;
	elapsed interval;
begin
	select * into call from calls where id = a_call for update;
	if not found or call.state not in ('placed', 'under_way', 'ambiguous') then
		return;
	end if;
	elapsed := at_time - call.created_at;
	if a_found <> 'away' and call.away > 0 then
		update calls set away = 0 where id = a_call;
	end if;
	case a_found
	when 'found' then
		perform settle_calls(jsonb_build_array(jsonb_build_object('call_id', a_call, 'verdict', 'placed',
			'provider_call_id', a_provider_call_id, 'deadline_ms', a_first_ms)), at_time);
	when 'going' then
		-- Asked again after half as long as it has lasted, at least the first wait.
		-- (at most ten minutes: the clock may have jumped.)
		update calls set deadline_at = at_time + greatest(a_first_ms * interval '1 millisecond',
			least(elapsed / 2, interval '10 minutes')), lookups = 0 where id = a_call;
	when 'away' then
		-- Counted, not measured: the clock may have jumped.
		update calls set away = away + 1, deadline_at = at_time + least(interval '5 minutes',
			a_first_ms * interval '1 millisecond' * power(2, least(away, 10))) where id = a_call;
		if elapsed > interval '15 minutes' then
			perform raise_alert(call.client_id, 'ambiguous_call', 'call ' || a_call,
				'Nobody knows what became of this call: the provider does not answer. It is not dialled again before '
				'that is known.', '/calls/' || a_call, at_time);
		end if;
	when 'early' then
		update calls set deadline_at = at_time + a_first_ms * interval '1 millisecond' where id = a_call;
	when 'absent' then
		if call.lookups < 2 then
			update calls set lookups = lookups + 1, deadline_at = at_time
				+ a_first_ms * interval '1 millisecond' * case lookups when 0 then 5 else 18 end where id = a_call;
		elsif call.provider_call_id is null then
			perform call_refused(call, 'never_placed', 'The provider has no such call.', 'never_placed',
				interval '0', at_time);
		else
			-- It had taken the call and no longer knows it: nobody can say whether somebody was reached.
			update calls set state = 'ended', outcome = 'unknown', reason = 'lost', ended_at = at_time,
				deadline_at = null
			where id = a_call returning * into call;
			perform conclude(call, '', true, interval '0', at_time);
		end if;
	end case;
end
$$;
