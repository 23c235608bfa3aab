-- Who may do what in the database, and what it holds.
set check_function_bodies = off;

-- Run-time roles are those that were let into this database by name (`trunkline database init`); its owner
-- and superusers are none. They read and write rows, and can neither make nor change tables.
create or replace function runtime_roles() returns setof name language sql stable as $$
	select r.rolname from pg_database d, aclexplode(d.datacl) a join pg_roles r on r.oid = a.grantee
	where d.datname = current_database() and a.privilege_type = 'CONNECT' and a.grantee <> d.datdba
		and not r.rolsuper
$$;

-- Called after each migration, by the owner.
create or replace function runtime_grants() returns void language plpgsql as $$
declare
	role name;
begin
	for role in select runtime_roles() loop
		execute format('grant usage on schema public to %I', role);
		execute format('grant select, insert, update, delete on all tables in schema public to %I', role);
		execute format('grant usage, select on all sequences in schema public to %I', role);
		execute format('alter default privileges in schema public grant select, insert, update, delete on tables'
			' to %I', role);
		execute format('alter default privileges in schema public grant usage, select on sequences to %I', role);
		-- What was done is not undone by who did it.
		execute format('revoke insert, update, delete on schema_migrations from %I', role);
		execute format('revoke update, delete on audit, erasures from %I', role);
	end loop;
end
$$;

-- Each table with its rows and a digest that does not depend on their order. What may be emptied at any time
-- is left out. Compared only between sessions with the same settings (store/db.c).
create or replace function database_manifest() returns table (name text, rows bigint, digest text)
	language plpgsql stable as $$
declare
	t text;
begin
	for t in select c.relname from pg_class c where c.relnamespace = 'public'::regnamespace
			and c.relkind in ('r', 'p') and not c.relispartition and c.relpersistence = 'p'
			order by c.relname loop
		return query execute format('select %L::text, count(*), coalesce(sum(hashtextextended(whole_row::text, 0)'
			'::numeric), 0)::text from public.%I whole_row', t, t);
	end loop;
end
$$;
