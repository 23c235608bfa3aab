-- name: overview_frame
-- What every page shows: counts for badges, and the campaigns under way with how far they are.
select
	(select count(*) from alerts where resolved_at is null and acknowledged_at is null
		and (client_id = $1 or client_id is null)) as alerts,
	(select count(*) from calls where ended_at is null and state = 'ambiguous' and client_id = $1) as ambiguous,
	coalesce((select jsonb_agg(jsonb_build_object('id', c.id, 'name', c.name, 'state', c.state,
			'pausable', c.state = 'running') || tally($1, 'campaign ' || c.id, $2) order by c.id desc)
		from (select id, name, state from campaigns where client_id = $1 and state in ('running', 'paused')
			order by state desc, id desc limit 3) c), '[]') as running;

-- name: overview_counts
select tally($1, 'leads', $3) as leads, tally($1, 'day ' || $2, $3) as today;

-- name: overview_campaigns
-- Those under way, else the newest that is done.
select c.id, c.name, c.state, c.state_reason, c.started_at, c.finished_at, c.concurrency,
	tally($1, 'campaign ' || c.id, $2) as tally,
	case when c.state = 'running' then (select min(due_at) from (select e.due_at from enrollments e
		where e.campaign_id = c.id and e.state = 'waiting' order by e.priority desc, e.due_at limit 1) d)
		end as next_at
from campaigns c where c.client_id = $1 and c.state in ('running', 'paused')
	or c.id = (select max(id) from campaigns d where d.client_id = $1 and d.state = 'done')
order by c.state in ('running', 'paused') desc, c.state desc, c.id desc limit 4;

-- name: overview_live
select c.id::text, c.state as status, c.phone, l.contact, l.company, c.lead_id, c.created_at, c.started_at,
	c.attempt, g.name as campaign
from calls c join leads l on l.id = c.lead_id join campaigns g on g.id = c.campaign_id
where c.client_id = $1 and c.ended_at is null and c.state <> 'ambiguous' order by c.created_at limit 25;

-- name: overview_newest
select c.id::text, c.lead_id, c.phone, l.company, l.contact, l.status, c.outcome, c.reason,
	c.transcript is not null and c.transcript <> '' as has_transcript, c.summary,
	c.duration_seconds as duration, c.attempt, c.ended_at, c.created_at
from (select * from calls where client_id = $1 and state = 'ended'
		order by created_at desc, id desc limit 12) c
	join leads l on l.id = c.lead_id
order by c.ended_at desc nulls last, c.id desc;

-- name: overview_alerts
select id, kind, subject, message, link, count, first_at, last_at from alerts
where resolved_at is null and acknowledged_at is null and (client_id = $1 or client_id is null)
order by last_at desc, id desc limit 10;

-- name: overview_dialer
select max(seen_at) as seen_at from (select seen_at from dialer_runs order by seen_at desc limit 1) r;
