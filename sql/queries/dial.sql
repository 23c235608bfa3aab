-- name: dial_run_seen
insert into dialer_runs (id, host, pid, started_at, seen_at, placed) values ($1, $2, $3, $5, $5, $4)
on conflict (id) do update set seen_at = excluded.seen_at, placed = excluded.placed

-- name: dial_run_ended
update dialer_runs set ended_at = $2, seen_at = $2 where id = $1

-- name: dial_runs_sweep
delete from dialer_runs where seen_at < $1

-- name: dial_clients
select id from clients k where exists (select from campaigns c where c.client_id = k.id
	and c.state = 'running')
	or exists (select from calls c where c.client_id = k.id and c.state <> 'ended') order by id

-- name: dial_claim
select claim_calls($1, $2, $3, $4, $5, $6) as claimed

-- name: dial_calls
select c.id, c.client_id, c.campaign_id, c.lead_id, c.phone, g.rep, g.voice, g.caller_number,
	g.max_duration, g.record,
	g.voicemail_action, v.body, v.first_sentence, v.voicemail_message, v.defaults, l.zones[1] as time_zone,
	jsonb_build_object('phone', l.phone, 'contact', l.contact, 'company', l.company, 'email', l.email,
		'location', l.location, 'region', l.region, 'source', l.source, 'assigned_agent', l.assigned_agent,
		'notes', l.notes, 'list', l.list, 'attributes', l.attributes, 'time_zone', l.zones[1]) as lead
from calls c join campaigns g on g.id = c.campaign_id join leads l on l.id = c.lead_id
	join prompt_versions v on v.id = c.prompt_version_id
where c.id in (select x::uuid from jsonb_array_elements_text($1) x)

-- name: dial_settle
select settle_calls($1, $2)

-- name: dial_expire
select expire_leases($1, $2)

-- name: dial_lookups
select * from lookups_due($1, $2, $3, $4)

-- name: dial_lookup_done
select lookup_done($1, $2, $3, $4, $5)

-- name: dial_next
select next_due($1, $2) as at

-- name: event_receive
select event_receive($1, $2, $3, $4, $5, $6, $7) as verdict

-- name: dial_leave_sandbox
select campaigns_leave_sandbox($1)
