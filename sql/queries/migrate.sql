-- The schema's own history. Migrations have a version; functions have none and are applied again when
-- their text changed.

-- name: migrate_exists
select to_regclass('schema_migrations') is not null as there;

-- name: migrate_lock
select pg_advisory_lock(7412301)::text as locked;

-- name: migrate_unlock
select pg_advisory_unlock(7412301) as unlocked;

-- name: migrate_applied
select name, version, checksum, applied_at
from schema_migrations
order by version nulls last, name;

-- name: migrate_record
insert into schema_migrations (name, version, checksum, applied_at)
values ($1, $2, $3, $4)
on conflict (name) do update set checksum = excluded.checksum, applied_at = excluded.applied_at;

-- The function is one of those just applied; a folder of somebody's own may be without it.
-- name: migrate_grants
do $$ begin if to_regproc('runtime_grants') is not null then perform runtime_grants(); end if; end $$
