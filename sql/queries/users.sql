-- People's accounts, and the throttle of their sign-ins.

-- name: user_session
select id, client_id, email, name, role, coalesce(time_zone, '') as time_zone
from users
where id = $1 and token_epoch = $2 and active;

-- name: user_visit
-- The same, with what every page shows: one way to the database and back less for each page.
select id, client_id, email, name, role, coalesce(time_zone, '') as time_zone, f.alerts, f.ambiguous,
	f.running
from users, overview_frame(users.client_id, $3) f
where id = $1 and token_epoch = $2 and active;

-- name: user_for_login
select id, client_id, email, name, role, token_epoch, password_hash, active
from users
where lower(email) = lower($1);

-- name: user_find
select id, client_id, email, name, role, token_epoch, password_hash, active,
	coalesce(time_zone, '') as time_zone, created_at, last_login_at
from users
where client_id = $1 and id = $2;

-- name: user_list
select id, email, name, role, active, created_at, last_login_at
from users
where client_id = $1
order by active desc, lower(email);

-- name: user_add
insert into users (client_id, email, name, role, password_hash, created_at)
values ($1, $2, $3, $4, $5, $6)
returning id;

-- name: user_change
select user_change($1, $2, $3, $4, $5) as id;

-- name: user_own
update users
set name = $3, time_zone = $4
where client_id = $1 and id = $2
	and ($4::text is null or exists (select 1 from zone_names where name = $4))
returning id;

-- name: user_password
update users
set password_hash = $3, token_epoch = token_epoch + 1
where client_id = $1 and id = $2
returning token_epoch;

-- name: user_epoch
update users
set token_epoch = token_epoch + 1
where client_id = $1 and id = $2
returning token_epoch;

-- name: user_seen
update users
set last_login_at = $2
where id = $1;

-- name: user_default_client
select min(id) as id
from clients;

-- name: user_time_zones
select name
from zone_names
where name ~ '^(America|Europe|Asia|Africa|Australia|Atlantic|Indian|Pacific)/' or name = 'UTC'
order by name;

-- $1 account and address, $2 address, $3 now, $4 how many of the failures are this very try. How many seconds
-- until the next try; 0: now.
-- name: login_wait
with tries as (
	select key, at, row_number() over (partition by key order by at desc) as nth
	from login_failures
	where key in ($1, $2) and at > $3::timestamptz - interval '15 minutes'
)
select coalesce(ceil(extract(epoch from max(at) + interval '15 minutes' - $3)), 0)::bigint as seconds
from tries
where (key = $1 and nth = 5 + $4::integer) or (key = $2 and nth = 30 + $4);

-- name: login_failed
with old as (
	delete from login_failures
	where at < $3::timestamptz - interval '1 hour'
)
insert into login_failures (key, at)
values ($1, $3), ($2, $3);

-- Signed in: the account's failures from here are forgiven, and the one that this try counted for the
-- address.
-- name: login_forgiven
delete from login_failures
where key = $1 or (key = $2 and at = $3);
