-- Databases and roles of the server. Statements that need names as words are made here, by format(), and run
-- as a script by store/database.c.

-- name: database_here
select current_database() as name, pg_get_userbyid(d.datdba)::text as owner,
	pg_has_role(session_user, d.datdba, 'member') as is_owner,
	current_setting('server_version_num')::int / 10000 as version
from pg_database d where d.datname = current_database()

-- name: database_become_owner
select set_config('role', pg_get_userbyid(datdba)::text, false) as role
from pg_database where datname = current_database() and pg_has_role(session_user, datdba, 'member')

-- name: database_find
select d.datname::text as name, pg_get_userbyid(d.datdba)::text as owner
from pg_database d where d.datname = $1

-- Roles, the database, and who may enter it; only what is missing.
-- name: database_init
select step from (
	select 1 as n, format('create role %I nologin', $2::text) as step
	where not exists (select from pg_roles where rolname = $2)
	union all
	select 2, format('create role %I login', $3::text)
	where $3::text <> $2::text and not exists (select from pg_roles where rolname = $3)
	union all
	select 3, format('create database %I owner %I encoding ''UTF8'' locale ''C.UTF-8'' template template0',
		$1::text, $2::text)
	where not exists (select from pg_database where datname = $1)
	union all
	select 4, format('alter database %I owner to %I', $1::text, $2::text)
	where exists (select from pg_database where datname = $1 and pg_get_userbyid(datdba) <> $2)
	union all
	select 5, format('alter database %I allow_connections true', $1::text)
	where exists (select from pg_database where datname = $1 and not datallowconn)
	union all
	select 6, format('revoke all on database %I from public', $1::text)
	union all
	select 7, format('grant connect, temporary on database %I to %I', $1::text, $3::text)
	where $3::text <> $2::text
) steps order by n

-- Inside it: what an older installation made as another role belongs to the owner from now on. Sequences go
-- with their tables; what an extension brought stays where it is.
-- name: database_init_inside
select step from (
	select 1 as n, format('alter table public.%I owner to %I', c.relname, $1::text) as step
	from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v')
		and pg_get_userbyid(c.relowner) <> $1
		and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')
	union all
	select 2, format('alter routine %s owner to %I', p.oid::regprocedure, $1::text)
	from pg_proc p where p.pronamespace = 'public'::regnamespace and pg_get_userbyid(p.proowner) <> $1
		and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
	union all
	select 3, 'revoke create on schema public from public'
) steps order by n

-- name: database_grant
select format('grant connect, temporary on database %I to %I', current_database(), $1::text) as step

-- name: database_create
select format('create database %I owner %I encoding ''UTF8'' locale %L template template0', $1::text,
	$2::text, coalesce((select datcollate from pg_database where datname = $3), 'C.UTF-8')) as step

-- name: database_drop
select format('drop database if exists %I with (force)', $1::text) as step

-- Who may enter the one may enter the other.
-- name: database_share
select step from (
	select 1 as n, format('revoke all on database %I from public', $2::text) as step
	where exists (select from pg_database where datname = $1 and datacl is not null)
	union all
	select 2, format('grant connect, temporary on database %I to %I', $2::text, r.rolname)
	from pg_database d, aclexplode(d.datacl) a join pg_roles r on r.oid = a.grantee
	where d.datname = $1 and a.privilege_type = 'CONNECT' and a.grantee <> d.datdba
) steps order by n

-- name: database_settings
select coalesce(jsonb_agg(s), '[]') as settings
from pg_db_role_setting r, unnest(r.setconfig) s
where r.setrole = 0 and r.setdatabase = (select oid from pg_database where datname = current_database())

-- name: database_set
select format('alter database %I set %I to %L', $1::text, split_part($2::text, '=', 1),
	substr($2::text, strpos($2::text, '=') + 1)) as step

-- In one transaction: whoever comes while it lasts waits, and then finds the new one. The sessions of the old
-- one are ended just before, since a database in use cannot be renamed.
-- name: database_swap
select 'begin; ' || coalesce((select format('select count(pg_terminate_backend(pid)) from pg_stat_activity'
		' where datname = %L; alter database %I rename to %I; ', $1::text, $1::text, $3::text)
		from pg_database where datname = $1), '')
	|| format('alter database %I rename to %I; commit', $2::text, $1::text) as step

-- bytes: of the database connected to. folder: where the server keeps its data, if we may know.
-- name: database_room
select pg_database_size(current_database()) as bytes,
	case when pg_has_role('pg_read_all_settings', 'usage') then current_setting('data_directory') end as folder

-- name: database_has_tables
select exists (select from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p'))
	as tables, to_regclass('public.leads') is not null and to_regclass('public.users') is not null as ours,
	to_regclass('public.suppressions') is not null as suppressions

-- name: database_has_rows
select exists (select from users) or exists (select from leads) or exists (select from calls)
	or exists (select from imports) or exists (select from suppressions) as rows

-- name: database_snapshot
select pg_export_snapshot() as snapshot

-- name: database_manifest
select name, rows, digest from database_manifest() order by name

-- name: database_version
select coalesce(max(version), 0) as version from schema_migrations

-- One at a time: 7412302 backups and restores, 7412303 retention.
-- name: database_try_lock
select pg_try_advisory_lock($1) as taken
