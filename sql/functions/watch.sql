-- What `trunkline watch` looks at each minute, and what it makes of it: alerts that open and close by
-- themselves. Their titles and mends are in rules/alert.c.
set check_function_bodies = off;

-- "12 minutes", "3 hours", "5 days"
create or replace function span_words(a_span interval) returns text language sql immutable as $$
	select case when s < 120 then 'a minute' when s < 7200 then s / 60 || ' minutes'
		when s < 172800 then s / 3600 || ' hours' else s / 86400 || ' days' end
	from (select extract(epoch from a_span)::bigint as s) x
$$;

create or replace function count_words(a_n bigint, a_one text, a_many text) returns text
	language sql immutable as $$
	select case when a_n = 1 then '1 ' || a_one else a_n || ' ' || a_many end
$$;

-- Live calls that nobody asks about any more, and calls of which nobody knows whether they were placed.
create or replace function watch_calls(at_time timestamptz)
	returns table (client_id bigint, kind text, subject text, message text, link text)
	language sql stable as $$
	select c.client_id, 'stuck_calls', 'calls', count_words(count(*), 'call is', 'calls are')
			|| ' still shown as under way although the provider should have been asked long ago.',
		'/calls'
	from calls c where c.ended_at is null and c.state <> 'ambiguous'
		and (c.deadline_at < at_time - interval '15 minutes'
			or c.state = 'placing' and c.lease_until < at_time - interval '5 minutes')
	group by c.client_id
	union all
	-- One that has an alert of its own is not told twice.
	select c.client_id, 'ambiguous_calls', 'calls', 'Nobody knows what became of '
			|| count_words(count(*), 'call', 'calls') || ' for more than 15 minutes: the answer was lost.',
		'/calls?status=ambiguous'
	from calls c where c.ended_at is null and c.state = 'ambiguous'
		and c.created_at < at_time - interval '15 minutes'
		and not exists (select from alerts a where a.kind = 'ambiguous_call' and a.resolved_at is null
			and a.subject = 'call ' || c.id)
	group by c.client_id
$$;

-- The queue stands still although nothing that we know of holds it: no limit, no hold, no live call.
create or replace function watch_queue(at_time timestamptz, a_sandbox boolean)
	returns table (client_id bigint, kind text, subject text, message text, link text)
	language sql stable as $$
	select k.id, 'queue_stuck', 'queue', 'Leads have been due for ' || span_words(at_time - min(x.due_at))
			|| ', and no call was begun in the last 10 minutes.', '/campaigns'
	from clients k join campaigns c on c.client_id = k.id and c.state = 'running' and c.stopped_at is null
		and (a_sandbox or coalesce(c.settings->>'sandbox', '') <> 'true')
	join provider_limits p on p.client_id = k.id and p.provider = 'bland'
	cross join lateral (select due_at from enrollments where campaign_id = c.id and state = 'waiting'
		and due_at < at_time - interval '10 minutes' order by priority desc, due_at, id limit 1) x
	where claim_room(p, 0, 1, at_time) > 0
		and not exists (select from calls where client_id = k.id and ended_at is null)
		and not exists (select from calls where client_id = k.id
			and created_at > at_time - interval '10 minutes')
		and (select max(seen_at) from dialer_runs) > at_time - interval '5 minutes'
	group by k.id
$$;

-- Programs that should say something, and do not.
create or replace function watch_programs(at_time timestamptz)
	returns table (client_id bigint, kind text, subject text, message text, link text)
	language sql stable as $$
	select null::bigint, 'dialer_silent', 'dialer', case when seen is null then 'The dialer has never run.'
			else 'The dialer was last seen ' || span_words(at_time - seen) || ' ago. No calls are placed.' end, '/'
	from (select max(seen_at) as seen from dialer_runs) d,
		(select min(applied_at) as born from schema_migrations) m
	where coalesce(seen, born) < at_time - interval '5 minutes'
	union all
	select null, 'jobs_silent', 'jobs', count_words(count(*), 'import waits', 'imports wait')
			|| ', and no program works on it.', '/imports'
	from imports i
	where i.state = 'running' and i.lease_until < at_time - interval '5 minutes'
		or i.state = 'queued' and i.created_at < at_time - interval '5 minutes'
			and not exists (select from pg_stat_activity where application_name = 'trunkline-jobs')
	having count(*) > 0
	union all
	-- The oldest is worked on first.
	select null, 'jobs_silent', 'campaigns', 'Leads wait to be added to a campaign, taken off it or given'
			|| ' consent, and nothing has come of it for ' || span_words(at_time - worked_at) || '.', '/campaigns'
	from (select worked_at from jobs order by id limit 1) j where worked_at < at_time - interval '5 minutes'
$$;

-- The newest run of each kind of upkeep. Where nothing is at stake yet, in the sandbox, nobody is asked to
-- have a backup.
create or replace function watch_upkeep(at_time timestamptz, a_sandbox boolean)
	returns table (client_id bigint, kind text, subject text, message text, link text)
	language sql stable as $$
	select null::bigint, case when r.name like 'backup%' then 'backup_failed' else 'upkeep_failed' end, r.name,
		case when r.name like 'backup%' then 'The last backup failed' else 'The job "' || r.name || '" failed' end
			|| coalesce(': ' || left(nullif(r.detail->>'error', ''), 300), '') || '.',
		''
	from (select distinct on (name) * from maintenance_runs where finished_at is not null
		and started_at > at_time - interval '30 days' order by name, started_at desc) r
	where not r.ok
	union all
	select null, 'backup_old', 'backup', case when at is null then 'There has never been a backup.'
			else 'The last good backup is ' || span_words(at_time - at) || ' old.' end, ''
	from (select max(finished_at) as at from maintenance_runs where name = 'backup' and ok) b,
		(select min(applied_at) as born from schema_migrations) m
	where coalesce(at, born) < at_time - interval '26 hours' and (at is not null or not a_sandbox)
$$;

-- Opens what is true and not open yet, closes what has not been true for two minutes. a_facts: what the
-- database cannot know ([{"kind", "subject", "message", "link", "opens"}]; "opens": false keeps an alert
-- open but begins none). Returns {"opened", "closed", "open"}.
create or replace function watch_apply(a_facts jsonb, a_sandbox boolean, at_time timestamptz) returns jsonb
	language plpgsql as $$
declare
	facts jsonb;
	opened bigint;
	closed bigint;
begin
	select coalesce(jsonb_agg(to_jsonb(f) || '{"opens": true}'), '[]') || a_facts into facts from (
		select * from watch_calls(at_time) union all select * from watch_queue(at_time, a_sandbox)
		union all select * from watch_programs(at_time) union all select * from watch_upkeep(at_time, a_sandbox)) f;
	with fact as (
		select * from jsonb_to_recordset(facts) f (client_id bigint, kind text, subject text, message text,
			link text, opens boolean)
	), made as (
		insert into alerts (client_id, kind, subject, message, link, first_at, last_at, watched)
		select client_id, kind, subject, message, coalesce(link, ''), at_time, at_time, true from fact where opens
		on conflict (coalesce(client_id, 0), kind, subject) where resolved_at is null
		do update set last_at = excluded.last_at, message = excluded.message, missing_since = null
		returning xmax = 0 as is_new
	), kept as (
		update alerts a set missing_since = null from fact f where not f.opens and a.resolved_at is null
			and a.watched and a.kind = f.kind and a.subject = f.subject
			and a.client_id is not distinct from f.client_id
	), gone as (
		update alerts a set missing_since = coalesce(missing_since, at_time),
			resolved_at = case when missing_since <= at_time - interval '2 minutes' then at_time end
		where watched and resolved_at is null and not exists (select from fact f where f.kind = a.kind
			and f.subject = a.subject and f.client_id is not distinct from a.client_id)
		returning resolved_at
	)
	select (select count(*) from made where is_new), (select count(*) from gone where resolved_at is not null)
	into opened, closed;
	-- Forged webhooks are events, not a state: over when there was none for a day; news when it begins again.
	update alerts set resolved_at = at_time where kind = 'bad_signature' and resolved_at is null
		and last_at < at_time - interval '1 day';
	update alerts set acknowledged_at = null, acknowledged_by = null where kind = 'bad_signature'
		and resolved_at is null and acknowledged_at < last_at - interval '1 hour';
	-- What was over a year ago, a few at a time.
	delete from alerts where id in (select id from alerts where resolved_at < at_time - interval '1 year'
		order by resolved_at limit 500);
	return jsonb_build_object('opened', opened, 'closed', closed,
		'open', (select count(*) from alerts where resolved_at is null));
end
$$;

-- Whom to tell what. Only what is a day old at most: who has just typed in an address hears nothing of the
-- past.
create or replace function alert_messages_add(a_channels text[], at_time timestamptz) returns void
	language sql as $$
	insert into alert_messages (alert_id, channel, what, next_at)
	select a.id, c, 'opened', at_time from alerts a cross join unnest(a_channels) c
	where a.resolved_at is null and a.acknowledged_at is null and a.last_at > at_time - interval '1 day'
	on conflict do nothing;
	insert into alert_messages (alert_id, channel, what, next_at)
	select a.id, m.channel, 'closed', at_time from alerts a join alert_messages m on m.alert_id = a.id
	where a.resolved_at > at_time - interval '1 day' and m.what = 'opened' and m.sent_at is not null
		and m.channel = any (a_channels)
	on conflict do nothing;
$$;

-- Takes what is to be sent now by one way. The next try is written down before this one is made, so that two
-- runs do not send the same, and one that is killed does not try for ever.
create or replace function alert_messages_take(a_channel text, at_time timestamptz)
	returns table (id bigint, what text, kind text, subject text, message text, link text,
		first_at timestamptz, resolved_at timestamptz) language sql as $$
	with taken as (
		select m.id from alert_messages m where m.channel = a_channel and m.next_at <= at_time
		order by m.id limit 50 for update skip locked
	)
	update alert_messages m set tries = m.tries + 1,
		next_at = case when m.tries < 5 then at_time + interval '1 minute' * power(2, m.tries) end
	from taken t, alerts a where m.id = t.id and a.id = m.alert_id
	returning m.id, m.what, a.kind, a.subject, a.message, a.link, a.first_at, a.resolved_at
$$;
