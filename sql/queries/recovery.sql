-- After a restore.

-- name: recovery_hold
with moment as (
	select to_char($1::timestamptz at time zone 'UTC', 'YYYY-MM-DD HH24:MI') || ' UTC' as text
), held as (
	update campaigns set state = 'paused', paused_at = $2::timestamptz,
		state_reason = 'Restored from a backup of ' || moment.text
			|| '. Calls after it are not known any more: look before you start it again.'
	from moment where state = 'running' returning client_id, id, name, moment.text
)
select raise_alert(client_id, 'campaign_paused', 'campaign ' || id,
	'The database was restored from a backup of ' || text || ', so the campaign ' || name
	|| ' is paused. Calls after it are not known any more.', '/campaigns/' || id, $2::timestamptz)
from held

-- name: recovery_orders
select coalesce(jsonb_agg(s), '[]') as orders, coalesce(max(id), 0) as last
from (select id, client_id, channel, phone, email, reason, source, evidence, created_at from suppressions
	where id > $1 order by id limit 5000) s

-- name: recovery_carry
select recovery_carry($1, $2) as carried
