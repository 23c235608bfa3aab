-- The leads list for any mix of filters. Each mix is planned for its own values: a word that many leads
-- contain is found by walking from the newest, a rare one by the trigram index.
set check_function_bodies = off;

-- The conditions of a filter: {"words": ["acme"], "status", "outcome", "list", "import", "campaign",
-- "consent": "granted" | "missing", "archived": true}. $1 is the client, $2 the filter.
create or replace function lead_filter(a_filter jsonb) returns text language plpgsql immutable as $$
declare
	text_of constant text := 'lower(l.contact || '' '' || l.company || '' '' || l.email || '' '' || l.phone)';
	granted constant text := '(select c.granted from consents c where c.lead_id = l.id and c.channel = ''call'''
		' and c.purpose = ''marketing'' order by c.at desc, c.id desc limit 1)';
	live constant text := '(select c.lead_id from calls c where c.client_id = $1 and c.ended_at is null)';
	result text := 'l.client_id = $1';
	word text;
begin
	result := result || case when (a_filter->>'archived')::boolean then ' and l.archived_at is not null'
		else ' and l.archived_at is null' end;
	-- As literals, so that the planner sees how common they are.
	for word in select jsonb_array_elements_text(coalesce(a_filter->'words', '[]')) loop
		result := result || format(' and %s like %L', text_of,
			'%' || replace(replace(replace(lower(word), '\', '\\'), '%', '\%'), '_', '\_') || '%');
	end loop;
	if a_filter->>'status' = 'dialing' then
		result := result || ' and l.id in ' || live;
	elsif a_filter ? 'status' then
		result := result || format(' and l.status = %L and l.id not in ', a_filter->>'status') || live;
	end if;
	if a_filter ? 'outcome' then result := result || format(' and l.outcome = %L', a_filter->>'outcome'); end if;
	if a_filter ? 'list' then
		result := result || format(' and l.list = %L and l.list <> ''''', a_filter->>'list');
	end if;
	if a_filter ? 'import' then
		result := result || format(' and l.import_id = %s', (a_filter->>'import')::bigint);
	end if;
	if a_filter ? 'campaign' then
		result := result || format(' and exists (select from enrollments e where e.campaign_id = %s and'
			' e.lead_id = l.id)', (a_filter->>'campaign')::bigint);
	end if;
	if a_filter->>'consent' = 'granted' then result := result || ' and ' || granted; end if;
	if a_filter->>'consent' = 'missing' then result := result || ' and ' || granted || ' is not true'; end if;
	return result;
end
$$;

-- One page: ids below a_cursor, newest first; or, with a_newer, those just above it (still newest first).
create or replace function lead_page(a_client bigint, a_filter jsonb, a_cursor bigint, a_newer boolean,
	a_limit int) returns setof leads language plpgsql stable as $$
begin
	if a_newer then
		return query execute 'select * from (select l.* from leads l where ' || lead_filter(a_filter)
			|| ' and l.id > $3 order by l.id limit $4) p order by p.id desc'
			using a_client, a_filter, a_cursor, a_limit;
	else
		return query execute 'select l.* from leads l where ' || lead_filter(a_filter)
			|| ' and l.id < $3 order by l.id desc limit $4' using a_client, a_filter, a_cursor, a_limit;
	end if;
end
$$;

-- How many match, counted up to a_most.
create or replace function lead_matches(a_client bigint, a_filter jsonb, a_most int) returns bigint
	language plpgsql stable as $$
declare
	n bigint;
begin
	execute 'select count(*) from (select from leads l where ' || lead_filter(a_filter) || ' limit $3) s'
		into n using a_client, a_filter, a_most;
	return n;
end
$$;

-- What the list shows beside the lead itself: consent to be called, a standing order never to, and the
-- next attempt with its reason.
create or replace function lead_beside(a_lead bigint, a_client bigint, a_phone text)
	returns table (consent boolean, suppressed boolean, enrollment_state text, reason text,
		next_at timestamptz, campaign_id bigint) language sql stable rows 1 as $$
	select c.granted,
		exists (select from suppressions s where s.phone = a_phone and (s.client_id = a_client
			or s.client_id is null) and (s.channel is null or s.channel = 'call')),
		e.state, e.reason, case when e.state = 'waiting' then e.due_at end, e.campaign_id
	from (values (1)) one
	left join lateral (select k.granted from consents k where k.lead_id = a_lead and k.channel = 'call'
		and k.purpose = 'marketing' order by k.at desc, k.id desc limit 1) c on true
	left join lateral (select n.state, n.reason, n.due_at, n.campaign_id from enrollments n
		where n.lead_id = a_lead order by n.state in ('waiting', 'under_way', 'ambiguous', 'blocked') desc,
			n.id desc limit 1) e on true
$$;
