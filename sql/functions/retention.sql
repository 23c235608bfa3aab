-- What is older than Settings say goes, a bounded piece with each call: `trunkline retention` calls until
-- nothing is left or its time is over. Consents, orders not to contact, erasures and the audit stay.
set check_function_bodies = off;

-- Days to keep; where several clients share the rows, what the most careful of them wants. 30 unless set.
create or replace function keep_days(a_kind text, a_client bigint default null) returns int
	language sql stable as $$
	select max(coalesce((s.value #>> '{}')::int, 30)) from clients c
	left join settings s on s.client_id = c.id and s.name = 'keep_' || a_kind and s.value is not null
	where a_client is null or c.id = a_client
$$;

-- Transcripts, summaries and links to recordings of one client's old calls; the call itself stays, with its
-- outcome and cost. Goes on where the last run ended.
create or replace function retention_transcripts(a_client bigint, a_limit int, at_time timestamptz)
	returns bigint language plpgsql as $$
declare
	before timestamptz := at_time - keep_days('transcripts', a_client) * interval '1 day';
	mark timestamptz := coalesce((select upto from retention_marks where client_id = a_client
		and kind = 'transcripts'), '-infinity');
	n bigint;
	last timestamptz;
begin
	with batch as materialized (
		select id, created_at from calls where client_id = a_client and created_at >= mark and created_at < before
			and ended_at is not null and (transcript is not null or turns is not null or summary is not null
			or recording_url is not null)
		order by created_at limit a_limit
	), emptied as (
		update calls c set transcript = null, turns = null, summary = null, recording_url = null
		from batch b where c.id = b.id
	)
	select count(*), max(created_at) into n, last from batch;
	insert into retention_marks as m (client_id, kind, upto)
	values (a_client, 'transcripts', case when n < a_limit then greatest(before, mark) else last end)
	on conflict (client_id, kind) do update set upto = excluded.upto;
	return n;
end
$$;

-- The lines of old imports that were refused or changed something: they hold what stood in the file.
create or replace function retention_import_lines(a_limit int, at_time timestamptz) returns bigint
	language plpgsql as $$
declare
	n bigint;
begin
	with old as materialized (
		select i.id from imports i
		where i.state in ('done', 'failed', 'canceled', 'undone')
			and coalesce(i.undone_at, i.finished_at, i.created_at)
				< at_time - keep_days('import_lines', i.client_id) * interval '1 day'
			and exists (select from import_lines l where l.import_id = i.id)
		order by i.id limit 1
	), batch as materialized (
		select l.import_id, l.line from import_lines l where l.import_id = (select id from old)
		order by l.line limit a_limit
	)
	delete from import_lines l using batch b where l.import_id = b.import_id and l.line = b.line;
	get diagnostics n = row_count;
	return n;
end
$$;

-- Decisions come in the order of their ids, so that the oldest stand first and none is walked past. With them
-- go what dialers and the nightly work wrote about their runs.
create or replace function retention_decisions(a_limit int, at_time timestamptz) returns bigint
	language plpgsql as $$
declare
	before timestamptz := at_time - keep_days('decisions') * interval '1 day';
	n bigint;
	more bigint;
begin
	with batch as materialized (select id, at from decisions order by id limit a_limit)
	delete from decisions d using batch b where d.id = b.id and b.at < before;
	get diagnostics n = row_count;
	delete from dialer_runs where id in (select id from dialer_runs where seen_at < before
		order by seen_at limit a_limit);
	get diagnostics more = row_count;
	n := n + more;
	delete from maintenance_runs where id in (select id from maintenance_runs
		where started_at < at_time - interval '400 days' limit a_limit);
	get diagnostics more = row_count;
	return n + more;
end
$$;

-- One piece of one kind; how many rows it was. 0: nothing is left of this kind.
create or replace function retention_step(a_kind text, a_limit int, at_time timestamptz) returns bigint
	language plpgsql as $$
declare
	n bigint := 0;
	client bigint;
begin
	case a_kind
	when 'events' then
		delete from events where id in (select id from events
			where received_at < at_time - keep_days('events') * interval '1 day'
			order by received_at, id limit a_limit);
		get diagnostics n = row_count;
	when 'transcripts' then
		for client in select id from clients order by id loop
			n := retention_transcripts(client, a_limit, at_time);
			exit when n > 0;
		end loop;
	when 'decisions' then
		n := retention_decisions(a_limit, at_time);
	when 'import_lines' then
		n := retention_import_lines(a_limit, at_time);
	when 'login_failures' then
		delete from login_failures where ctid = any (array(select ctid from login_failures
			where at < at_time - keep_days('login_failures') * interval '1 day' limit a_limit));
		get diagnostics n = row_count;
	else
		raise exception 'unknown kind %', a_kind;
	end case;
	return n;
end
$$;

-- Files of imports that are over, or were never finished: the names of those that nobody needs any more.
create or replace function retention_files(a_limit int, at_time timestamptz) returns setof text
	language sql as $$
	with old as materialized (
		select id, state, spool_path from imports
		where spool_path is not null and state in ('mapping', 'done', 'failed', 'canceled', 'undone')
			and coalesce(finished_at, created_at) < at_time - keep_days('files', client_id) * interval '1 day'
		order by id limit a_limit for update skip locked
	)
	update imports i set spool_path = null,
		state = case when i.state = 'mapping' then 'canceled' else i.state end,
		finished_at = coalesce(i.finished_at, at_time)
	from old where i.id = old.id
	returning old.spool_path
$$;
