-- name: event_page
select id, received_at, provider, kind, signature, verdict, verdict as status, deliveries, provider_call_id,
	call_id, error
from events where id < $1 and (verdict = $3 or $3 is null) order by id desc limit $2

-- name: event_find
select id, received_at, applied_at, provider, kind, signature, verdict, verdict as status, deliveries,
	provider_call_id,
	call_id, error, headers, body from events where id = $1

-- name: event_replay
select event_replay($1, $2, $3) as verdict
