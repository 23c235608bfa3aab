-- name: dial_run_seen
insert into dialer_runs (id, host, pid, started_at, seen_at, placed) values ($1, $2, $3, $5, $5, $4)
on conflict (id) do update set seen_at = excluded.seen_at, placed = excluded.placed

-- name: dial_run_ended
update dialer_runs set ended_at = $2, seen_at = $2 where id = $1

-- name: dial_run_gone
update dialer_runs set ended_at = $2 where id = $1 and ended_at is null

-- name: dial_runs_sweep
delete from dialer_runs where seen_at < $1

-- name: dial_clients
select id from clients k where exists (select from campaigns c where c.client_id = k.id
	and c.state = 'running')
	or exists (select from calls c where c.client_id = k.id and c.ended_at is null) order by id

-- name: dial_claim
select claim_calls($1, $2, $3, $4, $5, $6, $7, $8) as claimed

-- name: dial_calls
select c.id, c.client_id, c.campaign_id, c.lead_id, c.prompt_version_id, g.rep, g.voice, g.caller_number,
	g.max_duration, g.record, g.voicemail_action, g.pace_per_second::float8 as campaign_pace,
	p.pace_per_second::float8 as client_pace,
	c.phone, l.contact, l.company, l.email, l.location, l.region, l.source,
	l.assigned_agent, l.notes, l.list, l.attributes, l.zones[1] as time_zone
from calls c join campaigns g on g.id = c.campaign_id join leads l on l.id = c.lead_id
	join provider_limits p on p.client_id = c.client_id and p.provider = c.provider
where c.id = any (array(select x::uuid from jsonb_array_elements_text($1) x))

-- name: dial_prompt
select body, first_sentence, voicemail_message, defaults from prompt_versions where id = $1

-- name: dial_settle
select settle_calls($1, $2)

-- name: dial_expire
select expire_leases($1, $2, $3)

-- name: dial_lookups
select * from lookups_due($1, $2, $3, $4)

-- name: dial_lookup_done
select lookup_done($1, $2, $3, $4, $5)

-- name: dial_finish
select campaigns_finish($1, $2)

-- name: dial_next
select next_due($1, $2) as at

-- name: event_receive
select event_receive($1, $2, $3, $4, $5, $6, $7) as verdict

-- name: events_receive
select to_jsonb(r.verdicts) as verdicts, r.wake from events_receive($1, $2, $3, $4, $5, $6, $7, $8) r

-- name: dial_wake
select pg_notify('dialer', '')

-- name: dial_leave_sandbox
select campaigns_leave_sandbox($1)
