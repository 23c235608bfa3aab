-- name: call_list
select c.id::text, c.lead_id, c.phone, l.company, l.contact,
	case when c.state <> 'ended' then 'dialing' when c.outcome = 'failed' then 'error' else 'done' end as status,
	c.state, c.outcome, c.reason, c.rule, case when $7 then c.transcript end as transcript,
	c.transcript is not null and c.transcript <> '' as has_transcript,
	c.duration_seconds as duration, c.attempt, c.created_at, c.ended_at, c.cost_usd, c.campaign_id,
	g.name as campaign
from call_page($1, $2, $3, $4, $5, $6) c join leads l on l.id = c.lead_id
	join campaigns g on g.id = c.campaign_id
order by c.created_at desc, c.id desc;

-- name: call_none_yet
-- Leads that wait and were never called, as calls that do not exist yet.
select null::text as id, l.id as lead_id, l.phone, l.company, l.contact, l.status, null::text as state,
	null::text as outcome, null::text as reason, null::text as rule, null::text as transcript,
	false as has_transcript, null::int as duration, 0 as attempt, l.created_at, null::timestamptz as ended_at,
	null::bigint as cost_usd, null::bigint as campaign_id, null::text as campaign
from lead_statuses s
	-- A fence: one look for each, and never a walk past all newer leads.
	cross join lateral (select * from leads x where x.id = s.lead_id offset 0) l
where s.client_id = $1 and s.status = 'pending' and s.lead_id < $2 and l.archived_at is null
	and not exists (select from enrollments e where e.lead_id = s.lead_id and e.tries > 0)
order by s.lead_id desc limit $3;

-- name: call_find
select c.id::text, c.lead_id, c.phone, l.company, l.contact,
	case when c.state <> 'ended' then 'dialing' when c.outcome = 'failed' then 'error' else 'done' end as status,
	c.state, c.outcome, c.reason, c.rule, c.rule_version, c.transcript, c.turns, c.summary,
	c.duration_seconds as duration, c.attempt, c.try, c.created_at, c.placed_at, c.started_at, c.ended_at,
	c.deadline_at, c.lookups, c.cost_usd, c.campaign_id, g.name as campaign, c.enrollment_id, c.provider,
	c.provider_call_id, c.answered_by, c.ended_by, c.disposition, c.recording_url, c.error_message,
	p.name as prompt, v.version as prompt_version
from calls c join leads l on l.id = c.lead_id join campaigns g on g.id = c.campaign_id
	left join prompt_versions v on v.id = c.prompt_version_id left join prompts p on p.id = v.prompt_id
where c.client_id = $1 and c.id = $2::uuid;

-- name: call_events
select e.id, e.provider, e.kind, e.signature, e.verdict, e.deliveries, e.received_at, e.applied_at, e.error,
	left(e.body, 20000) as body
from events e join calls c on c.id = e.call_id
where c.client_id = $1 and e.call_id = $2::uuid order by e.id limit 50;

-- name: call_decisions
select d.at, d.kind, d.reason, d.next_at, u.email as by
from calls c join decisions d on d.enrollment_id = c.enrollment_id left join users u on u.id = d.user_id
where c.client_id = $1 and c.id = $2::uuid order by d.id desc limit 30;

-- name: call_ask_again
-- The reconciler looks at calls whose deadline has passed.
with due as (
	update calls set deadline_at = $3 where client_id = $1 and id = $2::uuid
		and state in ('ambiguous', 'placed', 'under_way') returning id
)
select id::text, pg_notify('dialer', '')::text as told from due;

-- name: call_resolve
select resolve_call($2::uuid, $3, $4, $5) as resolved from calls where client_id = $1 and id = $2::uuid;

-- name: call_campaigns
select id, name from campaigns where client_id = $1 order by id desc limit 12;
