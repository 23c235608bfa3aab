-- A person is erased: everything that tells of them goes, but the order not to contact this number, because
-- without it the next file would have them called again.
set check_function_bodies = off;

-- The leads of a number; a_client NULL: of all clients.
create or replace function person_leads(a_client bigint, a_phone text) returns bigint[]
	language sql stable as $$
	select coalesce(array_agg(l.id), '{}')
	from clients c join leads l on l.client_id = c.id and l.phone = a_phone
	where a_client is null or c.id = a_client
$$;

-- First, in a transaction of its own: from now on no dialer claims them. Older orders about the number stay,
-- also those that name an address, without their evidence.
create or replace function person_suppress(a_client bigint, a_phone text, a_user bigint, at_time timestamptz)
	returns void language sql as $$
	insert into suppressions (client_id, phone, reason, source, created_by, created_at)
	values (a_client, a_phone, 'Asked to be erased', 'erasure', a_user, at_time) on conflict do nothing;
	update suppressions set evidence = '', call_id = null
	where phone = a_phone and (client_id = a_client or a_client is null);
$$;

-- Deletes and empties; says how many of what. Events keep the digest by which they are known again, so that
-- one that is sent once more brings nothing back.
create or replace function person_remove(a_client bigint, a_phone text) returns jsonb language plpgsql as $$
declare
	whom bigint[] := person_leads(a_client, a_phone);
	-- As it may stand in a file: its last nine digits with anything of punctuation between them.
	pattern text := regexp_replace(right(a_phone, 9), '(\d)(?=\d)', '\1[^0-9]{0,3}', 'g');
	mails text[];
	told uuid[];
	result jsonb;
	n bigint;
begin
	select coalesce(array_agg(lower(email)), '{}') into mails from leads where id = any (whom) and email <> '';
	select coalesce(array_agg(k.id), '{}'),
		jsonb_build_object('leads', cardinality(whom), 'calls', count(k.id),
			'cost_usd', coalesce(sum(k.cost_usd), 0) / 1e6)
		into told, result
	from enrollments e join calls k on k.enrollment_id = e.id where e.lead_id = any (whom);
	update events set body = null, headers = '{}', normalized = null, error = null, provider_call_id = null,
		call_id = null
	where call_id = any (told) or (verdict = 'unknown_call' and body ~ pattern);
	get diagnostics n = row_count;
	result := result || jsonb_build_object('events', n);
	update import_lines l set raw = null, before = null, lead_id = null
	from imports i where i.id = l.import_id and (a_client is null or i.client_id = a_client)
		and (l.lead_id = any (whom) or (l.raw is not null and (l.raw::text ~ pattern
			or exists (select from unnest(mails) m where strpos(lower(l.raw::text), m) > 0))));
	get diagnostics n = row_count;
	result := result || jsonb_build_object('import_lines', n);
	delete from alerts where subject = any (select 'call ' || id from unnest(told) id);
	-- Their journeys, decisions, calls and consents go with them (0001_house.sql).
	delete from leads where id = any (whom);
	return result;
end
$$;

-- Second: {"live": n} while calls to them are under way, and then nothing was removed; else what was. a_hash
-- is a keyed hash of the number, by which the audit knows it.
create or replace function person_erase(a_client bigint, a_phone text, a_hash text, a_who text, a_user bigint,
	a_address text, at_time timestamptz) returns jsonb language plpgsql as $$
declare
	whom bigint[] := person_leads(a_client, a_phone);
	permissions jsonb;
	result jsonb;
	n bigint;
begin
	-- In the order in which reports lock them. Whoever claimed one before the order was there is waited for.
	perform from calls where enrollment_id in (select id from enrollments where lead_id = any (whom))
		order by id for update;
	perform from enrollments where lead_id = any (whom) order by id for update;
	select count(*) into n from enrollments e join calls k on k.enrollment_id = e.id
	where e.lead_id = any (whom) and k.ended_at is null;
	if n > 0 then
		return jsonb_build_object('live', n);
	end if;
	select coalesce(jsonb_agg(jsonb_build_object('channel', channel, 'purpose', purpose, 'granted', granted,
		'at', at, 'import', import_id) order by at), '[]') into permissions
	from consents where lead_id = any (whom);
	result := person_remove(a_client, a_phone)
		|| jsonb_build_object('consents', jsonb_array_length(permissions));
	insert into erasures (client_id, at, who, user_id, phone_hash, removed, consents)
	select coalesce(a_client, min(id)), at_time, a_who, a_user, a_hash, result, permissions from clients;
	insert into audit (at, client_id, user_id, who, action, object, detail, address)
	select at_time, coalesce(a_client, min(id)), a_user, a_who, 'person.erase', 'person ' || left(a_hash, 12),
		result, a_address from clients;
	return result;
end
$$;

-- After a restore: orders not to contact that are not in the backup, as rows of suppressions. Who was erased
-- since is erased again.
create or replace function recovery_carry(a_orders jsonb, at_time timestamptz) returns bigint
	language plpgsql as $$
declare
	n bigint;
	again record;
begin
	insert into suppressions (client_id, channel, phone, email, reason, source, evidence, created_at)
	select o.client_id, o.channel, o.phone, o.email, o.reason, o.source, o.evidence, o.created_at
	from jsonb_to_recordset(a_orders) o (client_id bigint, channel text, phone text, email text, reason text,
		source text, evidence text, created_at timestamptz)
	where o.client_id is null or exists (select from clients c where c.id = o.client_id)
	on conflict do nothing;
	get diagnostics n = row_count;
	for again in select o.client_id, o.phone
			from jsonb_to_recordset(a_orders) o (client_id bigint, phone text, source text)
			where o.source = 'erasure' and cardinality(person_leads(o.client_id, o.phone)) > 0 loop
		perform person_remove(again.client_id, again.phone);
	end loop;
	return n;
end
$$;
