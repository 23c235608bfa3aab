-- Imports: a batch of lines is staged by COPY and merged by one statement in the same transaction as the
-- counts, so that a job may be killed anywhere and goes on at the next line.
set check_function_bodies = off;

-- Of this session; emptied by each merge. `reason`: why the line is refused, else NULL; then phone is NULL.
-- `area`: the prefix of area_code_zones that fits, or ''.
create or replace function import_stage_create() returns void language sql as $$
	-- New words wait in front of the trigram index and go into it many at a time, which takes a third less. Each
	-- search reads what waits, 0.6 ms a megabyte; to let more than this wait saves nothing.
	select set_config('gin_pending_list_limit', '16MB', false), set_config('work_mem', '64MB', false);
	create temp table if not exists import_stage (
		line bigint, phone text, area text, extension text, contact text, company text, email text, location text,
		region text, time_zone text, source text, agent text, notes text, prompt text, consent boolean,
		consent_at timestamptz, consent_text text, attributes jsonb, reason text, column_name text, raw jsonb
	);
	truncate import_stage
$$;

-- What still waits in front of the trigram index: searches would read all of it. Only the owner may do this.
create or replace function import_tidy() returns void language sql security definer
	set search_path = public, pg_temp as $$
	select gin_clean_pending_list('leads_search')
$$;

-- Takes the oldest job that waits, or whose worker is gone. NULL: none. What fails five times without a step
-- forward fails for good: the file, not the accident, is to blame.
drop function if exists import_take(uuid, int, timestamptz);
create function import_take(a_token uuid, a_lease_seconds int, at_time timestamptz) returns bigint
	language plpgsql as $$
declare
	taken bigint;
begin
	update imports set state = 'failed', finished_at = at_time, lease_token = null,
		error = 'The import broke off five times at the same place, after line ' || line_done
			|| '. What was imported until then is kept.'
	where state = 'running' and tries >= 5 and lease_until < at_time;
	update imports set undo_asked_at = null, lease_token = null,
		error = 'It could not be undone: that failed five times.'
	where undo_asked_at is not null and tries >= 5 and lease_until < at_time;
	update imports i set state = case when i.undo_asked_at is null then 'running' else i.state end,
		lease_token = a_token, lease_until = at_time + a_lease_seconds * interval '1 second', tries = i.tries + 1,
		started_at = coalesce(i.started_at, at_time)
	from (
		select id from imports where coalesce(lease_until, '-infinity') < at_time
			and (state in ('queued', 'running') or (undo_asked_at is not null and state in
				('done', 'failed', 'canceled')))
		order by id limit 1 for update skip locked
	) next
	where i.id = next.id returning i.id into taken;
	return taken;
end
$$;

-- Gives a job back before its lease ends, so that it is taken again after a_seconds.
create or replace function import_release(a_import bigint, a_token uuid, a_seconds int, a_good boolean,
	at_time timestamptz) returns void language sql as $$
	update imports set lease_until = at_time + a_seconds * interval '1 second',
		tries = case when a_good then 0 else tries end
	where id = a_import and lease_token = a_token
$$;

create or replace function import_pick(a_policy text, a_old text, a_new text) returns text
	language sql immutable as $$
	select case when coalesce(a_new, '') = '' then a_old when a_policy = 'overwrite' or coalesce(a_old, '') = ''
		then a_new else a_old end
$$;

create or replace function import_change(a_old text, a_new text) returns jsonb language sql immutable as $$
	select case when a_old is distinct from a_new then jsonb_build_array(a_old, a_new) end
$$;

-- What becomes of the staged lines of import i, in one statement that may fail with unique_violation.
create or replace function import_apply(i imports, at_time timestamptz, out n_all bigint,
	out n_rejected bigint, out n_created bigint, out n_updated bigint, out n_skipped bigint, out known bigint[])
	-- The stage has no statistics; what is not hashed takes it for small.
	language plpgsql set enable_nestloop = off set enable_mergejoin = off as $$
declare
	-- Taken out of the options once, not for each line.
	policy text := coalesce(i.options->>'update_policy', 'skip');
	source_else text := i.options->>'source';
	list_name text := i.options->>'list';
	prompt_else text := nullif(i.options->>'prompt_name', '');
	consent_rule text := i.options->>'consent';
	consent_source text := i.options->>'consent_source';
	phone_column text := coalesce((select c->>'name' from jsonb_array_elements(i.columns) c
		where c->>'field' = 'phone' limit 1), '');
begin
	with region_words as materialized (
		select country, code as word, code, zones from regions
		union all select country, upper(name), code, zones from regions
	), zone_words as materialized (
		select word, zone_named(word) as name
		from (select distinct time_zone as word from import_stage where time_zone <> '') w
	), places as materialized (
		-- Each mix of an area code and what is said about the place, once: few, where lines are many.
		select p.*, coalesce(r.code, q.code) as region_code, z.name as zone,
			case when z.name is null and coalesce(r.zones, q.zones, a.zones) = a.zones then a.zones
				else zones_meet(a.zones, coalesce(r.zones, q.zones), z.name) end as zones
		from (select distinct area, region, split_part(location, ',', -1) as state, time_zone from import_stage
				where phone is not null) p
			left join area_code_zones a on a.prefix = p.area
			left join region_words r on r.country = a.country and r.word = upper(p.region)
			-- "Austin, TX": the state at the end of a place.
			left join region_words q on q.country = a.country and q.word = upper(btrim(p.state))
			left join zone_words z on z.word = p.time_zone
	), known as materialized (
		-- With an array this is a look at the index for each of them, however large the table; so below.
		select id, phone, import_id, import_line, archived_at from leads
		where client_id = i.client_id
			and phone = any (array(select phone from import_stage where phone is not null))
	), listed as materialized (
		select lead_id, min(line) as line from import_lines
		where import_id = i.id and lead_id = any (array(select id from known)) group by lead_id
	), twice as materialized (
		select phone, min(line) as line from import_stage where phone is not null group by phone having count(*) > 1
	), judged as materialized (
		select s.*, p.region_code, p.zone, p.zones,
			l.id as known_id, coalesce(d.line, case when l.import_id = i.id then l.import_line end,
				case when s.line > t.line then t.line end) as same_as_line,
			case when s.line > t.line or l.import_id = i.id or d.line is not null then 'repeated'
				when l.id is null then 'new'
				when l.archived_at is not null then 'archived'
				when policy = 'skip' then 'known'
				else 'update' end as verdict
		from import_stage s
			join places p on p.area = s.area and p.region = s.region
				and p.state = split_part(s.location, ',', -1) and p.time_zone = s.time_zone
			left join known l on l.phone = s.phone
			left join listed d on d.lead_id = l.id
			left join twice t on t.phone = s.phone
		where s.phone is not null
	), fresh as (
		insert into leads (client_id, phone, extension, contact, company, email, location, region, time_zone, zones,
			source, assigned_agent, notes, list, prompt_name, attributes, import_id, import_line, created_at,
				updated_at)
		select i.client_id, j.phone, nullif(j.extension, ''), j.contact, j.company, j.email, j.location,
			j.region_code,
			j.zone, j.zones, coalesce(nullif(j.source, ''), source_else, ''), j.agent, j.notes,
			coalesce(list_name, ''), coalesce(nullif(j.prompt, ''), prompt_else, 'default'),
			j.attributes, i.id, j.line, at_time, at_time
		from judged j where j.verdict = 'new' order by j.line
		returning id, phone
	), wanted as materialized (
		select j.line, l.id, n.*, case when n.region is distinct from l.region or n.time_zone is distinct
			from l.time_zone
				then zones_of(l.phone, n.region, n.time_zone) else l.zones end as zones,
			jsonb_strip_nulls(jsonb_build_object(
				'extension', import_change(l.extension, n.extension), 'contact', import_change(l.contact, n.contact),
				'company', import_change(l.company, n.company), 'email', import_change(l.email, n.email),
				'location', import_change(l.location, n.location), 'region', import_change(l.region, n.region),
				'time_zone', import_change(l.time_zone, n.time_zone), 'source', import_change(l.source, n.source),
				'assigned_agent', import_change(l.assigned_agent, n.agent), 'notes', import_change(l.notes, n.notes),
				'list', import_change(l.list, n.list), 'prompt_name', import_change(l.prompt_name, n.prompt),
				'attributes', case when l.attributes <> n.attributes
					then jsonb_build_array(l.attributes, n.attributes) end)) as before
		from judged j join leads l on l.id = j.known_id cross join lateral (select
			import_pick(policy, l.extension, j.extension) as extension,
			import_pick(policy, l.contact, j.contact) as contact,
			import_pick(policy, l.company, j.company) as company, import_pick(policy, l.email, j.email) as email,
			import_pick(policy, l.location, j.location) as location,
			import_pick(policy, l.region, j.region_code) as region,
			import_pick(policy, l.time_zone, j.zone) as time_zone,
			import_pick(policy, l.source, coalesce(nullif(j.source, ''), source_else)) as source,
			import_pick(policy, l.assigned_agent, j.agent) as agent, import_pick(policy, l.notes, j.notes) as notes,
			import_pick(policy, l.list, list_name) as list,
			import_pick(policy, l.prompt_name, coalesce(nullif(j.prompt, ''), prompt_else)) as prompt,
			case policy when 'overwrite' then l.attributes || j.attributes else j.attributes || l.attributes end
				as attributes) n
		where j.verdict = 'update' and l.id = any (array(select known_id from judged where verdict = 'update'))
	), changed as (
		update leads l set extension = w.extension, contact = w.contact, company = w.company, email = w.email,
			location = w.location, region = w.region, time_zone = w.time_zone, zones = w.zones, source = w.source,
			assigned_agent = w.agent, notes = w.notes, list = w.list, prompt_name = w.prompt,
				attributes = w.attributes,
			updated_at = at_time
		from wanted w where l.id = w.id and w.before <> '{}' and l.id = any (array(select id from wanted))
		returning l.id
	), lines as (
		insert into import_lines (import_id, line, verdict, column_name, reason, raw, lead_id, before)
		select i.id, line, 'rejected', column_name, reason, raw, null, null from import_stage
			where reason is not null
		union all
		select i.id, j.line, case when c.id is null then 'skipped' else 'updated' end, phone_column, case
			when c.id is not null then 'This number was known. ' || case policy when 'overwrite'
				then 'The lead was updated.'
				else 'Empty fields were filled.' end
			when j.verdict = 'repeated' then 'The same number stands in line ' || j.same_as_line || '.'
			when j.verdict = 'archived' then 'This number belongs to an archived lead. Restore it to call it.'
			when j.verdict = 'update' then 'This number is known, and the line says nothing new.'
			else 'This number is known already.' end,
			null, coalesce(j.known_id, f.id), case when c.id is not null then w.before end
		from judged j left join fresh f on f.phone = j.phone left join changed c on c.id = j.known_id
			and j.verdict = 'update'
			left join wanted w on w.line = j.line
		where j.verdict <> 'new'
		returning verdict
	), said as (
		-- Permission holds for the person, known or new. A "no" counts wherever it stands.
		insert into consents (client_id, lead_id, channel, granted, source, evidence, at, import_id, recorded_by,
			recorded_at)
		select i.client_id, coalesce(j.known_id, f.id), 'call', j.consent is distinct from false,
			case when consent_rule = 'attested' and j.consent is distinct from false
				then consent_source else 'column of the imported file' end,
			i.file_name || ', line ' || j.line || coalesce(': ' || nullif(j.consent_text, ''), ''),
			coalesce(least(j.consent_at, at_time), at_time), i.id, i.created_by, at_time
		from judged j left join fresh f on f.phone = j.phone
		where coalesce(j.known_id, f.id) is not null and (j.consent = false or (j.verdict <> 'repeated'
			and (consent_rule = 'attested' or (consent_rule = 'column' and j.consent))))
		order by j.line
		returning lead_id
	)
	select (select count(*) from import_stage), (select count(*) from lines where verdict = 'rejected'),
		(select count(*) from fresh), (select count(*) from lines where verdict = 'updated'),
		(select count(*) from lines where verdict = 'skipped'),
		(select array_agg(distinct x.id) from (select lead_id as id from said
			union select id from changed) x where not exists (select from fresh f where f.id = x.id))
	into n_all, n_rejected, n_created, n_updated, n_skipped, known;
end
$$;

-- Merges what is staged, in a transaction of its own. Each line becomes exactly one of created, updated,
-- skipped, rejected. A large file is merged in two lanes at the same time (a_lanes; this is lane a_lane): all
-- lines of one number are in the same lane, so lanes never wait for each other's people.
drop function if exists import_merge(bigint, uuid, bigint, bigint, int, timestamptz);
create or replace function import_merge(a_import bigint, a_token uuid, a_lane int, a_lanes int, a_line bigint,
	a_bytes bigint, a_lease_seconds int, at_time timestamptz, out canceled boolean) language plpgsql as $$
declare
	i imports;
	n record;
begin
	-- Not locked: the other lane is at work. Who holds the job is asked again at the end.
	select * into i from imports where id = a_import and lease_token = a_token and state = 'running';
	if not found then
		raise exception 'Another worker has taken this import over.' using errcode = 'TL409';
	end if;
	-- Two imports with the same people in another order would wait for each other.
	for lane in case a_lanes when 1 then 1 else a_lane end .. case a_lanes when 1 then 2 else a_lane end loop
		perform pg_advisory_xact_lock(hashtextextended('import lane ' || lane, i.client_id));
	end loop;
	-- What an accident takes back it takes back as a whole, with the note of how far we were: it is done again.
	-- Only the job's end waits for the disk, and with it for all that came before.
	perform set_config('synchronous_commit', 'off', true);
	-- Whom somebody else makes at the same time is not seen, only run into: the next look finds them.
	for try in 1 .. 5 loop
		begin
			select * into n from import_apply(i, at_time);
			exit;
		exception when unique_violation then
			if try = 5 then
				raise;
			end if;
		end;
	end loop;
	if n.n_all <> n.n_rejected + n.n_created + n.n_updated + n.n_skipped then
		raise exception 'import %: % lines became % created, % updated, % skipped, % rejected', a_import, n.n_all,
			n.n_created, n.n_updated, n.n_skipped, n.n_rejected;
	end if;
	if n.known is not null then
		perform recheck_leads(n.known, at_time);
	end if;
	update imports set lane_lines[a_lane] = a_line, line_done = case a_lanes when 1 then a_line
			else least(a_line, coalesce(lane_lines[3 - a_lane], 0)) end,
		bytes_done = greatest(bytes_done, a_bytes), rows_total = rows_total + n.n_all,
		rows_created = rows_created + n.n_created, rows_updated = rows_updated + n.n_updated,
		rows_rejected = rows_rejected + n.n_rejected, rows_skipped = rows_skipped + n.n_skipped, tries = 0,
		lease_until = at_time + a_lease_seconds * interval '1 second'
	where id = a_import and lease_token = a_token and state = 'running'
	returning cancel_asked_at is not null into canceled;
	if not found then
		raise exception 'Another worker has taken this import over.' using errcode = 'TL409';
	end if;
	truncate import_stage;
	perform pg_notify('live', '');
end
$$;

-- The end of a job: done, canceled or failed with a message. Its people join the campaign that was named:
-- the new ones, and those that were known and were not called yet.
create or replace function import_finish(a_import bigint, a_token uuid, a_error text, at_time timestamptz)
	returns void language plpgsql as $$
declare
	i imports;
begin
	update imports set state = case when a_error is null then 'done' when a_error = 'canceled' then 'canceled'
			else 'failed' end,
		error = case when a_error = 'canceled' then null else a_error end, finished_at = at_time,
			lease_token = null,
		lease_until = null, tries = 0, spool_path = null,
		bytes_done = case when a_error is null then size_bytes else bytes_done end
	where id = a_import and lease_token = a_token returning * into i;
	if not found then
		return;
	end if;
	if i.rows_total - i.rows_created <> (select count(*) from import_lines where import_id = a_import) then
		raise exception 'import %: the counts and the list of lines do not agree', a_import;
	end if;
	if a_error is null and i.options->>'campaign_id' is not null then
		begin
			perform campaign_enrol((i.options->>'campaign_id')::bigint, a_import, null, at_time);
			perform campaign_enrol((i.options->>'campaign_id')::bigint, a_import, null, at_time, a_known => true);
		exception when sqlstate 'TL404' or sqlstate 'TL409' then
			update imports set error = 'The leads were imported, but did not join the campaign. ' || sqlerrm
			where id = a_import;
		end;
	end if;
	perform pg_notify('live', '');
end
$$;

-- Consent that a person vouches for later, for all leads of the import about whom nothing was said yet. Who
-- refused or withdrew stays refused. Returns for how many the first piece recorded it (job.sql).
create or replace function import_attest(a_client bigint, a_import bigint, a_source text, a_user bigint,
	at_time timestamptz) returns integer language plpgsql as $$
declare
	j jobs;
begin
	update imports set options = options || jsonb_build_object('consent', 'attested', 'consent_source', a_source)
	where id = a_import and client_id = a_client and state in ('done', 'failed', 'canceled');
	if not found then
		raise exception 'Consent is recorded once the import has ended.' using errcode = 'TL409',
			hint = 'import_open';
	end if;
	j.kind := 'attest';
	j.client_id := a_client;
	j.import_id := a_import;
	j.source := a_source;
	j.user_id := a_user;
	j := job_begin(j, at_time);
	perform pg_notify('live', '');
	return j.changed;
end
$$;

create or replace function attest_leads(j jobs, a_leads bigint[], at_time timestamptz) returns integer
	language plpgsql set enable_seqscan = off as $$
declare
	said bigint[];
begin
	with new as (
		insert into consents (client_id, lead_id, channel, granted, source, evidence, at, import_id, recorded_by,
			recorded_at)
		select j.client_id, l.id, 'call', true, j.source, 'for all leads of import ' || j.import_id, at_time,
			j.import_id, j.user_id, at_time
		from leads l where l.id = any (a_leads) and l.import_id = j.import_id
			and not exists (select from consents c where c.lead_id = l.id and c.channel = 'call')
		returning lead_id
	)
	select array_agg(lead_id) into said from new;
	perform recheck_leads(said, at_time);
	return coalesce(cardinality(said), 0);
end
$$;

-- Why an import cannot be undone, or NULL.
create or replace function import_undo_refusal(a_import bigint) returns text language sql stable as $$
	select case
		when i.state = 'undone' then 'This import was undone already.'
		when i.state not in ('done', 'canceled', 'failed') then 'Only a finished import can be undone.'
		when exists (select from leads l join enrollments e on e.lead_id = l.id and e.tries > 0
				where l.import_id = i.id)
			then 'At least one of its leads was called already, so it can no longer be undone.'
		when i.rows_updated > (select count(*) from import_lines u where u.import_id = i.id
				and u.verdict = 'updated' and u.before is not null)
			then 'What it changed is no longer on record (Settings, Keeping data), so it cannot be undone.' end
	from imports i where i.id = a_import
$$;

-- What stood in a field before, if it still holds what the import wrote; a later change by a person stays.
create or replace function import_back(a_now text, a_change jsonb) returns text language sql immutable as $$
	select case when a_change is not null and a_now is not distinct from a_change->>1 then a_change->>0
		else a_now end
$$;

-- Takes everything back. Claims are kept out by locking the enrollments before looking for calls.
create or replace function import_undo(a_import bigint, a_token uuid, at_time timestamptz) returns void
	language plpgsql as $$
declare
	i imports;
	refusal text;
	known bigint[];
begin
	select * into i from imports where id = a_import and lease_token = a_token for update;
	if not found then
		return;
	end if;
	delete from jobs where import_id = a_import;
	perform from enrollments e join leads l on l.id = e.lead_id where l.import_id = a_import for update of e;
	perform from leads where import_id = a_import for update;
	refusal := import_undo_refusal(a_import);
	if refusal is not null then
		update imports set undo_asked_at = null, lease_token = null, lease_until = null, tries = 0, error = refusal
		where id = a_import;
		return;
	end if;
	update leads l set extension = import_back(l.extension, b.before->'extension'),
		contact = import_back(l.contact, b.before->'contact'), 
		company = import_back(l.company, b.before->'company'),
		email = import_back(l.email, b.before->'email'), location = import_back(l.location, b.before->'location'),
		region = import_back(l.region, b.before->'region'),
		time_zone = import_back(l.time_zone, b.before->'time_zone'),
		zones = zones_of(l.phone, import_back(l.region, b.before->'region'),
			import_back(l.time_zone, b.before->'time_zone')),
		source = import_back(l.source, b.before->'source'),
		assigned_agent = import_back(l.assigned_agent, b.before->'assigned_agent'),
		notes = import_back(l.notes, b.before->'notes'), list = import_back(l.list, b.before->'list'),
		prompt_name = import_back(l.prompt_name, b.before->'prompt_name'),
		attributes = case when l.attributes = b.before->'attributes'->1 then b.before->'attributes'->0
			else l.attributes end, updated_at = at_time
	from import_lines b where b.import_id = a_import and b.verdict = 'updated' and l.id = b.lead_id;
	with gone as (
		delete from consents where import_id = a_import returning lead_id
	)
	select array_agg(distinct g.lead_id) into known from gone g join leads l on l.id = g.lead_id
	where l.import_id is distinct from a_import;
	delete from leads where import_id = a_import;
	if known is not null then
		perform recheck_leads(known, at_time);
	end if;
	update imports set state = 'undone', undone_at = at_time, undo_asked_at = null, lease_token = null,
		lease_until = null, tries = 0, error = null
	where id = a_import;
	perform pg_notify('live', '');
end
$$;
