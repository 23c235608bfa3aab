-- The calls list for any mix of filters, newest first. Planned for its own values, as lead_page.
set check_function_bodies = off;

-- a_filter: {"state": "live" | "ended" | "ambiguous" | "failed" | "done", "outcome", "campaign",
-- "lead", "from", "to", "zone"}; from and to are days in that zone, both included. Rows older than
-- (a_at, a_id), or with a_newer those just after it.
create or replace function call_page(a_client bigint, a_filter jsonb, a_at timestamptz, a_id uuid,
	a_newer boolean, a_limit int) returns setof calls language plpgsql stable as $$
declare
	wanted text := 'c.client_id = $1';
begin
	wanted := wanted || case a_filter->>'state'
		when 'live' then ' and c.ended_at is null'
		when 'ambiguous' then ' and c.ended_at is null and c.state = ''ambiguous'''
		when 'ended' then ' and c.state = ''ended'''
		when 'failed' then ' and c.state = ''ended'' and c.outcome = ''failed'''
		when 'done' then ' and c.state = ''ended'' and c.outcome is distinct from ''failed'''
		else '' end;
	if a_filter ? 'outcome' then wanted := wanted || format(' and c.outcome = %L', a_filter->>'outcome'); end if;
	if a_filter ? 'campaign' then
		wanted := wanted || format(' and c.campaign_id = %s', (a_filter->>'campaign')::bigint);
	end if;
	if a_filter ? 'lead' then
		wanted := wanted || format(' and c.enrollment_id in (select id from enrollments where lead_id = %s)',
			(a_filter->>'lead')::bigint);
	end if;
	if a_filter ? 'from' then
		wanted := wanted || format(' and c.created_at >= (%L::date)::timestamp at time zone %L',
			a_filter->>'from', coalesce(a_filter->>'zone', 'UTC'));
	end if;
	if a_filter ? 'to' then
		wanted := wanted || format(' and c.created_at < (%L::date + 1)::timestamp at time zone %L',
			a_filter->>'to', coalesce(a_filter->>'zone', 'UTC'));
	end if;
	if a_newer then
		return query execute 'select * from (select c.* from calls c where ' || wanted
			|| ' and (c.created_at, c.id) > ($2, $3) order by c.created_at, c.id limit $4) p'
			' order by p.created_at desc, p.id desc' using a_client, a_at, a_id, a_limit;
	else
		return query execute 'select c.* from calls c where ' || wanted
			|| ' and (c.created_at, c.id) < ($2, $3) order by c.created_at desc, c.id desc limit $4'
			using a_client, a_at, a_id, a_limit;
	end if;
end
$$;
