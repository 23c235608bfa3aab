-- name: setting_all
select name, value, sealed from settings where client_id = $1

-- name: setting_list
select name, value, hint, sealed is not null as is_sealed, updated_at from settings where client_id = $1
	order by name

-- name: setting_put
insert into settings (client_id, name, value, updated_by, updated_at) values ($1, $2, $3, $4, $5)
on conflict (client_id, name) do update set value = excluded.value, sealed = null, hint = null,
	updated_by = excluded.updated_by, updated_at = excluded.updated_at

-- name: setting_seal
insert into settings (client_id, name, sealed, hint, updated_by, updated_at) values ($1, $2, $3, $4, $5, $6)
on conflict (client_id, name) do update set value = null, sealed = excluded.sealed, hint = excluded.hint,
	updated_by = excluded.updated_by, updated_at = excluded.updated_at

-- name: setting_remove
delete from settings where client_id = $1 and name = $2

-- name: provider_limits_get
select provider, concurrency, pace_per_second::float8 as pace_per_second, per_hour, per_day, hold_until,
	hold_reason, stopped_reason, stopped_at
from provider_limits where client_id = $1 and provider = 'bland'

-- name: provider_limits_set
update provider_limits set concurrency = $2, pace_per_second = $3, per_hour = $4, per_day = $5
where client_id = $1 and provider = 'bland'

-- name: provider_resume
with again as (
	update provider_limits set stopped_reason = null, stopped_at = null, hold_until = null, hold_reason = null,
		failures = 0
	where client_id = $1 and provider = 'bland' returning client_id
), seen as (
	update alerts set resolved_at = $2, resolved_by = $3
	where client_id = $1 and kind = 'provider_refused' and resolved_at is null
)
select pg_notify('dialer', '') from again
