-- The leads list for any mix of filters. Each mix is planned for its own values: a word that many leads
-- contain is found by walking from the newest, a rare one by the trigram index.
set check_function_bodies = off;

-- The conditions of a filter: {"words": ["acme"], "status", "outcome", "list", "import", "campaign",
-- "consent": "granted" | "missing", "archived": true}. $1 is the client, $2 the filter. Status and outcome
-- are asked of lead_statuses (s), where they are indexed; lead_source says what is read, lead_key in which
-- order.
create or replace function lead_source(a_filter jsonb) returns text language sql immutable as $$
	select case when coalesce(a_filter->>'status', 'dialing') = 'dialing' and not a_filter ? 'outcome'
			then 'leads l'
		-- What else is asked for may be rarer; else they are walked, behind a fence: the newest leads may all have
		-- another status.
		when a_filter ?| '{words,list,import,campaign}' then 'lead_statuses s join leads l on l.id = s.lead_id'
		else 'lead_statuses s cross join lateral (select * from leads x where x.id = s.lead_id offset 0) l' end
$$;
create or replace function lead_key(a_filter jsonb) returns text language sql immutable as $$
	select case when lead_source(a_filter) = 'leads l' then 'l.id' else 's.lead_id' end
$$;
create or replace function lead_filter(a_filter jsonb) returns text language plpgsql immutable as $$
declare
	text_of constant text := 'lower(l.contact || '' '' || l.company || '' '' || l.email || '' '' || l.phone)';
	granted constant text := '(select c.granted from consents c where c.lead_id = l.id and c.channel = ''call'''
		' and c.purpose = ''marketing'' order by c.at desc, c.id desc limit 1)';
	live constant text := '(select c.lead_id from calls c where c.client_id = $1 and c.ended_at is null)';
	result text := case when lead_source(a_filter) = 'leads l' then '' else 's.client_id = $1 and ' end
		|| 'l.client_id = $1';
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
		result := result || format(' and s.status = %L and l.id not in ', a_filter->>'status') || live;
	end if;
	if a_filter ? 'outcome' then result := result || format(' and s.outcome = %L', a_filter->>'outcome'); end if;
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
-- Never by merging: that walks past all newer leads which have another status.
create or replace function lead_page(a_client bigint, a_filter jsonb, a_cursor bigint, a_newer boolean,
	a_limit int) returns setof leads language plpgsql stable set enable_mergejoin = off as $$
begin
	if a_newer then
		return query execute format('select * from (select l.* from %s where %s and %s > $3 order by %3$s'
			' limit $4) p order by p.id desc', lead_source(a_filter), lead_filter(a_filter), lead_key(a_filter))
			using a_client, a_filter, a_cursor, a_limit;
	else
		return query execute format('select l.* from %s where %s and %s < $3 order by %3$s desc limit $4',
			lead_source(a_filter), lead_filter(a_filter), lead_key(a_filter))
			using a_client, a_filter, a_cursor, a_limit;
	end if;
end
$$;

-- How many match, counted up to a_most.
create or replace function lead_matches(a_client bigint, a_filter jsonb, a_most int) returns bigint
	language plpgsql stable set enable_mergejoin = off as $$
declare
	n bigint;
begin
	execute format('select count(*) from (select from %s where %s limit $3) x', lead_source(a_filter),
		lead_filter(a_filter))
		into n using a_client, a_filter, a_most;
	return n;
end
$$;

-- What lists show beside a lead: whether it said that it may be called, a standing order never to, and its
-- journey that is not over, else the newest. It has no settings of its own, so that the planner makes it a
-- part of whatever asks it; each of the three can only be a look at an index.
drop function if exists lead_beside(bigint, bigint, text);
create function lead_beside(a_client bigint, a_lead bigint, a_phone text)
	returns table (consent boolean, suppressed boolean, state text, reason text, due_at timestamptz,
		campaign_id bigint) language sql stable as $$
	select
		(select k.granted from consents k where k.lead_id = a_lead and k.channel = 'call'
			and k.purpose = 'marketing' order by k.at desc, k.id desc limit 1),
		(select true from suppressions s where s.phone = a_phone and (s.client_id = a_client
			or s.client_id is null) and (s.channel is null or s.channel = 'call') limit 1) is not null,
		e.state, e.reason, e.due_at, e.campaign_id
	from (select) one left join lateral (
		select n.state, n.reason, n.due_at, n.campaign_id from enrollments n where n.lead_id = a_lead
		order by n.state in ('waiting', 'under_way', 'ambiguous', 'blocked') desc, n.id desc limit 1) e on true
$$;

-- Leads as lists show them, with what stands beside them. `status`: as shown.
create or replace function lead_rows(a_client bigint, a_ids bigint[])
	returns table (id bigint, status text, status_reason text, phone text, contact text, company text,
		email text, location text, list text, source text, prompt_name text, outcome text, last_call_at timestamptz,
		created_at timestamptz, consent boolean, suppressed boolean, enrollment_state text, reason text,
		next_at timestamptz, campaign_id bigint)
	language plpgsql stable set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
	return query
	select l.id, case when b.state in ('under_way', 'ambiguous') then 'dialing' else l.status end,
		l.status_reason, l.phone, l.contact, l.company, l.email, l.location, l.list, l.source, l.prompt_name,
		l.outcome, l.last_call_at, l.created_at, b.consent, b.suppressed, b.state, b.reason,
		case when b.state = 'waiting' then b.due_at end, b.campaign_id
	from leads l, lead_beside(l.client_id, l.id, l.phone) b
	where l.id = any(a_ids) and l.client_id = a_client
	order by l.id desc;
end
$$;

-- The same of the newest below a_cursor. Planned once: with another number of rows each time, the planner
-- would think it over for each page, which takes longer than the page. Pages of a disk count as nothing, so
-- that the index is taken in which a client's leads stand together, however large the client's share of all
-- leads was when the plan was made.
create or replace function lead_list(a_client bigint, a_cursor bigint, a_limit int)
	returns table (id bigint, status text, status_reason text, phone text, contact text, company text,
		email text, location text, list text, source text, prompt_name text, outcome text, last_call_at timestamptz,
		created_at timestamptz, consent boolean, suppressed boolean, enrollment_state text, reason text,
		next_at timestamptz, campaign_id bigint)
	language plpgsql stable set plan_cache_mode = force_generic_plan set enable_seqscan = off
	set random_page_cost = 0 set seq_page_cost = 0 as $$
begin
	return query
	select l.id, case when b.state in ('under_way', 'ambiguous') then 'dialing' else l.status end,
		l.status_reason, l.phone, l.contact, l.company, l.email, l.location, l.list, l.source, l.prompt_name,
		l.outcome, l.last_call_at, l.created_at, b.consent, b.suppressed, b.state, b.reason,
		case when b.state = 'waiting' then b.due_at end, b.campaign_id
	from leads l, lead_beside(l.client_id, l.id, l.phone) b
	where l.client_id = a_client and l.archived_at is null and l.id < a_cursor
	order by l.id desc limit a_limit;
end
$$;

-- By what the list can be narrowed, and how many leads there are in all: counted up to a_most, beyond that as
-- the tally knows them.
create or replace function lead_choices(a_client bigint, a_most int, at_time timestamptz)
	returns table (few bigint, lists jsonb, campaigns jsonb)
	language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
	known jsonb;
begin
	select t.data into known from tallies t where t.client_id = a_client and t.subject = 'leads';
	if (known->>'total')::bigint >= a_most then
		known := tally(a_client, 'leads', at_time);
	end if;
	if (known->>'total')::bigint >= a_most and known ? 'lists' then
		few := known->>'total';
		lists := known->'lists';
	else
		few := (select count(*) from (select from leads l where l.client_id = a_client and l.archived_at is null
			limit a_most) s);
		lists := lead_lists(a_client);
		if few >= a_most then
			few := tally(a_client, 'leads', at_time)->>'total';
		end if;
	end if;
	campaigns := coalesce((select jsonb_agg(c) from (select g.id, g.name, g.state from campaigns g
		where g.client_id = a_client and g.state <> 'archived' order by g.id desc limit 50) c), '[]');
	return next;
end
$$;

-- Asked by workers of the release before, which go on until they are replaced.
create or replace function lead_newest(a_client bigint, a_cursor bigint, a_limit int) returns bigint[]
	language plpgsql stable set plan_cache_mode = force_generic_plan as $$
begin
	return array(select l.id from leads l where l.client_id = a_client and l.archived_at is null
		and l.id < a_cursor order by l.id desc limit a_limit);
end
$$;
