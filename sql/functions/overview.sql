-- What every page shows: counts for badges, and the campaigns under way with how far they are.
set check_function_bodies = off;

create or replace function overview_frame(a_client bigint, at_time timestamptz)
	returns table (alerts bigint, ambiguous bigint, running jsonb) language plpgsql as $$
begin
	return query
	select
		(select count(*) from alerts where resolved_at is null and acknowledged_at is null
			and (client_id = a_client or client_id is null)) as alerts,
		(select count(*) from calls where ended_at is null and state = 'ambiguous' and client_id = a_client)
			as ambiguous,
		coalesce((select jsonb_agg(jsonb_build_object('id', c.id, 'name', c.name, 'state', campaign_status(c),
				'pausable', c.state = 'running', 'stopping', campaign_status(c) = 'stopping')
				|| tally(a_client, 'campaign ' || c.id, at_time) order by c.id desc)
			from (select * from campaigns where client_id = a_client
				and state in ('running', 'paused') order by state desc, id desc limit 3) c), '[]') as running;
end
$$;
