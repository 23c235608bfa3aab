-- Imports: a batch of lines is staged by COPY and merged by one function in the same transaction as the counts,
-- so that a job may be killed anywhere and goes on at the next line.
set check_function_bodies = off;

-- Of this session; emptied by each commit.
create or replace function import_stage_create() returns void language sql as $$
	create temp table if not exists import_stage (
		line bigint, phone text, extension text, contact text, company text, email text, location text, region text,
		time_zone text, source text, agent text, notes text, prompt text, consent boolean, attributes jsonb,
		reason text, column_name text, raw jsonb
	) on commit delete rows
$$;

-- Takes the oldest import that waits, or whose job is gone. NULL: none.
create or replace function import_take(a_token uuid, a_lease_seconds int, at_time timestamptz) returns bigint
	language sql as $$
	update imports i set state = case when i.state = 'done' then 'done' else 'running' end, lease_token = a_token,
		lease_until = at_time + a_lease_seconds * interval '1 second', started_at = coalesce(started_at, at_time)
	from (select id from imports where state = 'queued' or (state = 'running' and lease_until < at_time)
			or (state = 'done' and undo_asked_at is not null and coalesce(lease_until, '-infinity') < at_time)
		order by id limit 1 for update skip locked) next
	where i.id = next.id returning i.id
$$;

-- Merges what is staged. Created, updated, skipped and rejected add up to the lines staged, always.
drop function if exists import_merge(bigint, uuid, bigint, bigint, int, timestamptz);
create function import_merge(a_import bigint, a_token uuid, a_line bigint, a_bytes bigint, a_lease_seconds int,
	at_time timestamptz) returns boolean language plpgsql as $$
declare
	i imports;
	policy text;
	n_all bigint;
	n_rejected bigint;
	n_created bigint;
	n_updated bigint;
	known bigint[];
begin
	select * into i from imports where id = a_import and lease_token = a_token and state = 'running' for update;
	if not found then
		return false; -- another job has taken it over
	end if;
	policy := coalesce(i.options->>'update_policy', 'skip');
	select count(*), count(reason) into n_all, n_rejected from import_stage;
	insert into import_lines (import_id, line, verdict, column_name, reason, raw)
	select a_import, line, 'rejected', coalesce(column_name, ''), reason, raw from import_stage where reason is not null;

	drop table if exists import_good;
	create temp table import_good on commit drop as
	select s.*, l.id as lead_id, l.import_id as lead_import,
		row_number() over (partition by s.phone order by s.line) as nth, false as made
	from import_stage s left join leads l on l.client_id = i.client_id and l.phone = s.phone
	where s.reason is null;

	-- New ones.
	with fresh as (
		insert into leads (client_id, phone, extension, contact, company, email, location, region, time_zone, zones,
			source, assigned_agent, notes, list, prompt_name, attributes, import_id, import_line, created_at, updated_at)
		select i.client_id, g.phone, nullif(g.extension, ''), coalesce(g.contact, ''), coalesce(g.company, ''),
			coalesce(g.email, ''), coalesce(g.location, ''), r.code, z.name, zones_of(g.phone, r.code, z.name),
			coalesce(nullif(g.source, ''), i.options->>'source', ''), coalesce(g.agent, ''), coalesce(g.notes, ''),
			coalesce(i.options->>'list', ''),
			coalesce(nullif(g.prompt, ''), nullif(i.options->>'prompt_name', ''), 'default'),
			coalesce(g.attributes, '{}'), a_import, g.line, at_time, at_time
		from import_good g
			left join lateral (select code from regions where g.region <> '' and (code = upper(g.region)
				or lower(name) = lower(g.region)) order by country desc limit 1) r on true
			left join zone_names z on z.name = g.time_zone
		where g.lead_id is null and g.nth = 1
		on conflict (client_id, phone) do nothing
		returning id, phone
	)
	update import_good g set lead_id = f.id, made = true from fresh f where f.phone = g.phone and g.nth = 1;
	select count(*) filter (where made) into n_created from import_good;

	-- Known ones: left alone, filled where empty, or overwritten, as was asked for; what stood there is kept.
	if policy <> 'skip' then
		with wanted as (
			select g.*, r.code as region_code, z.name as zone from import_good g
				left join lateral (select code from regions where g.region <> '' and (code = upper(g.region)
					or lower(name) = lower(g.region)) order by country desc limit 1) r on true
				left join zone_names z on z.name = g.time_zone
			where g.lead_id is not null and not g.made and g.nth = 1 and g.lead_import is distinct from a_import
		), kept as (
			insert into import_lines (import_id, line, verdict, reason, lead_id, before)
			select a_import, w.line, 'updated', 'known', l.id, jsonb_build_object('contact', l.contact, 'company', l.company,
				'email', l.email, 'location', l.location, 'region', l.region, 'time_zone', l.time_zone, 'zones', l.zones,
				'source', l.source, 'assigned_agent', l.assigned_agent, 'notes', l.notes, 'attributes', l.attributes)
			from wanted w join leads l on l.id = w.lead_id on conflict do nothing
		)
		update leads l set
			contact = import_pick(policy, l.contact, w.contact), company = import_pick(policy, l.company, w.company),
			email = import_pick(policy, l.email, w.email), location = import_pick(policy, l.location, w.location),
			source = import_pick(policy, l.source, w.source),
			assigned_agent = import_pick(policy, l.assigned_agent, w.agent),
			notes = import_pick(policy, l.notes, w.notes),
			region = nullif(import_pick(policy, coalesce(l.region, ''), w.region_code), ''),
			time_zone = nullif(import_pick(policy, coalesce(l.time_zone, ''), w.zone), ''),
			zones = zones_of(l.phone, import_pick(policy, coalesce(l.region, ''), w.region_code),
				import_pick(policy, coalesce(l.time_zone, ''), w.zone)),
			attributes = case policy when 'overwrite' then l.attributes || coalesce(w.attributes, '{}')
				else coalesce(w.attributes, '{}') || l.attributes end,
			updated_at = at_time
		from wanted w where l.id = w.lead_id;
		get diagnostics n_updated = row_count;
	else
		n_updated := 0;
	end if;
	insert into import_lines (import_id, line, verdict, column_name, reason, lead_id)
	select a_import, line, 'skipped', 'phone', case when nth > 1 or lead_import = a_import then 'duplicate_in_file'
		else 'known' end, lead_id
	from import_good where not made and (policy = 'skip' or nth > 1 or lead_import is not distinct from a_import
		or lead_id is null)
	on conflict do nothing;

	-- Consent holds for the person, known or new. Only what is said is recorded.
	with said as (
		insert into consents (client_id, lead_id, channel, granted, source, evidence, at, import_id, recorded_by, recorded_at)
		select i.client_id, g.lead_id, 'call',
			case when i.options->>'consent' = 'attested' then coalesce(g.consent, true) else g.consent end,
			case when i.options->>'consent' = 'attested' then i.options->>'consent_source' else 'column of the file' end,
			'import ' || a_import || ', line ' || g.line, at_time, a_import, i.created_by, at_time
		from import_good g where g.nth = 1 and g.lead_id is not null
			and (i.options->>'consent' = 'attested' or (i.options->>'consent' = 'column' and g.consent is not null))
		returning lead_id
	)
	select array_agg(s.lead_id) into known from said s join import_good g on g.lead_id = s.lead_id and not g.made;
	if known is not null then
		perform recheck_leads(known, at_time);
	end if;

	update imports set line_done = a_line, bytes_done = a_bytes, rows_total = rows_total + n_all,
		rows_created = rows_created + n_created, rows_updated = rows_updated + n_updated,
		rows_rejected = rows_rejected + n_rejected,
		rows_skipped = rows_skipped + n_all - n_rejected - n_created - n_updated,
		lease_until = at_time + a_lease_seconds * interval '1 second'
	where id = a_import;
	return true;
end
$$;

create or replace function import_pick(a_policy text, a_old text, a_new text) returns text
	language sql immutable as $$
	select case when coalesce(a_new, '') = '' then a_old when a_policy = 'overwrite' or a_old = '' then a_new
		else a_old end
$$;

-- The end of a job: done or failed with a message. Its leads join the campaign that was named.
create or replace function import_finish(a_import bigint, a_token uuid, a_error text, at_time timestamptz)
	returns void language plpgsql as $$
declare
	i imports;
begin
	update imports set state = case when a_error is null then 'done' when a_error = 'canceled' then 'canceled'
			else 'failed' end,
		error = nullif(a_error, 'canceled'), finished_at = at_time, lease_token = null, lease_until = null,
		spool_path = null, bytes_done = case when a_error is null then size_bytes else bytes_done end
	where id = a_import and lease_token = a_token returning * into i;
	if not found then
		return;
	end if;
	if i.rows_total <> i.rows_created + i.rows_updated + i.rows_skipped + i.rows_rejected then
		raise exception 'import %: the counts do not add up', a_import;
	end if;
	if a_error is null and i.options ? 'campaign_id' then
		perform campaign_enrol((i.options->>'campaign_id')::bigint, a_import, null, at_time);
	end if;
	perform pg_notify('live', '');
end
$$;

-- Why an import cannot be undone, or NULL.
create or replace function import_undo_refusal(a_client bigint, a_import bigint) returns text
	language sql stable as $$
	select case when i.id is null then 'There is no such import.'
		when i.state not in ('done', 'canceled', 'failed') then 'Only a finished import can be undone.'
		when exists (select from leads l join calls c on c.lead_id = l.id where l.import_id = i.id)
			then 'At least one of its leads was called already, so it can no longer be undone.' end
	from (select 1) one left join imports i on i.id = a_import and i.client_id = a_client
$$;

create or replace function import_undo(a_import bigint, a_token uuid, at_time timestamptz) returns void
	language plpgsql as $$
declare
	i imports;
begin
	select * into i from imports where id = a_import and lease_token = a_token for update;
	if not found then
		return;
	end if;
	if import_undo_refusal(i.client_id, a_import) is not null then
		update imports set undo_asked_at = null, lease_token = null, lease_until = null,
			error = import_undo_refusal(i.client_id, a_import) where id = a_import;
		return;
	end if;
	update leads l set contact = b.before->>'contact', company = b.before->>'company', email = b.before->>'email',
		location = b.before->>'location', region = b.before->>'region', time_zone = b.before->>'time_zone',
		zones = array(select jsonb_array_elements_text(b.before->'zones')), source = b.before->>'source',
		assigned_agent = b.before->>'assigned_agent', notes = b.before->>'notes', attributes = b.before->'attributes',
		updated_at = at_time
	from import_lines b where b.import_id = a_import and b.verdict = 'updated' and l.id = b.lead_id;
	delete from consents where import_id = a_import;
	delete from leads where import_id = a_import;
	update imports set state = 'undone', undone_at = at_time, undo_asked_at = null, lease_token = null, lease_until = null
	where id = a_import;
	perform pg_notify('live', '');
end
$$;
