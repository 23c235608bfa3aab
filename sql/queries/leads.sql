-- name: lead_newest
select * from lead_list($1, $2, $3);

-- name: lead_list
-- What the page shows of them: the other columns need not be sent and read there.
select id, status, phone, contact, company, outcome, last_call_at, consent, suppressed, enrollment_state,
	reason, next_at
from lead_list($1, $2, $3);

-- name: lead_search
select * from lead_rows($1, array(select id from lead_page($1, $2, $3, $4, $5)));

-- name: lead_matches
select lead_matches($1, $2, $3) as matches;

-- name: lead_choices
select few, lists, campaigns from lead_choices($1, $2, $3);

-- name: lead_find
select l.id, r.status, l.status_reason, l.phone, l.extension, l.contact, l.company, l.email, l.location,
	l.region, l.time_zone, to_jsonb(l.zones) as zones, l.source, l.assigned_agent, l.notes, l.list,
	l.prompt_name, l.attributes, l.outcome, l.last_call_id::text, l.last_call_at, l.number_state,
	l.import_id, l.import_line,
	l.created_at, l.updated_at, l.archived_at, r.consent, r.suppressed, r.enrollment_state, r.reason, r.next_at,
	r.campaign_id
from leads l join lead_rows($1, array[$2::bigint]) r on r.id = l.id
where l.client_id = $1 and l.id = $2;

-- name: lead_insert
insert into leads (client_id, phone, extension, contact, company, email, location, region, time_zone, source,
	assigned_agent, notes, list, prompt_name, attributes, zones)
values ($1, $2, $3, $4, $5, $6, $7, upper($8), $9, $10, $11, $12, $13, $14, coalesce($15::jsonb, '{}'),
	zones_of($2, upper($8), $9))
on conflict (client_id, phone) do nothing
returning id;

-- name: lead_by_phone
select id, archived_at from leads where client_id = $1 and phone = $2;

-- name: lead_update
-- NULL leaves a column as it is. `moved`: where or whether the person may be called can have changed.
with old as (
	select id, phone, region, time_zone, prompt_name from leads where client_id = $1 and id = $2 for update
), new as (
	update leads l set phone = coalesce($3, l.phone),
		extension = case when $3::text is null then l.extension else nullif($4, '') end,
		contact = coalesce($5, l.contact), company = coalesce($6, l.company), email = coalesce($7, l.email),
		location = coalesce($8, l.location),
		region = case when $9::text is null then l.region else nullif(upper($9), '') end,
		time_zone = case when $10::text is null then l.time_zone else nullif($10, '') end,
		source = coalesce($11, l.source), assigned_agent = coalesce($12, l.assigned_agent),
		notes = coalesce($13, l.notes), list = coalesce($14, l.list), prompt_name = coalesce($15, l.prompt_name),
		attributes = coalesce($16::jsonb, l.attributes),
		zones = zones_of(coalesce($3, l.phone),
			case when $9::text is null then l.region else nullif(upper($9), '') end,
			case when $10::text is null then l.time_zone else nullif($10, '') end),
		number_state = case when coalesce($3, l.phone) <> l.phone then 'unknown' else l.number_state end,
		status = case when l.status = 'error' and coalesce($3, l.phone) <> l.phone then 'pending'
			else l.status end,
		status_reason = case when l.status = 'error' and coalesce($3, l.phone) <> l.phone then null
			else l.status_reason end,
		updated_at = $17
	from old where l.id = old.id
	returning l.id, (l.phone, l.region, l.time_zone, l.prompt_name)
		is distinct from (old.phone, old.region, old.time_zone, old.prompt_name) as moved
)
select id, moved from new;

-- name: lead_note
update leads set notes = left(case when notes = '' then $3::text else notes || E'\n' || $3 end, 20000),
	updated_at = $4
where client_id = $1 and id = $2;

-- name: lead_archive
update leads set archived_at = case when $3 then coalesce(archived_at, $4::timestamptz) end, updated_at = $4
where client_id = $1 and id in (select value::bigint from jsonb_array_elements_text($2::jsonb));

-- name: lead_recheck
select recheck_leads(array(select id from leads where client_id = $1
	and id in (select value::bigint from jsonb_array_elements_text($2::jsonb))), $3) as freed;

-- name: lead_enrol
select campaign_enrol(c.id, null, array(select id from leads where client_id = $1 and archived_at is null
	and id in (select value::bigint from jsonb_array_elements_text($3::jsonb))), $4) as enrolled, c.name
from campaigns c where c.client_id = $1 and c.id = $2 and c.state <> 'archived';

-- name: lead_prompts
select name from prompts where client_id = $1 and archived_at is null order by name limit 200;

-- name: lead_enrollments
select e.id, e.campaign_id, c.name as campaign, c.state as campaign_state, e.state as status, e.due_at,
	e.attempts, c.max_attempts, e.outcome, e.reason, e.created_at, e.changed_at
from enrollments e join campaigns c on c.id = e.campaign_id
where e.client_id = $1 and e.lead_id = $2 order by e.id desc limit 20;

-- name: lead_calls
select c.id::text, c.state, c.outcome, c.reason, c.rule, c.attempt, c.try, c.created_at, c.ended_at,
	c.duration_seconds, c.cost_usd, c.answered_by, c.ended_by, c.summary, c.transcript, c.turns,
	c.error_message, c.campaign_id, g.name as campaign
from calls c join campaigns g on g.id = c.campaign_id
where c.client_id = $1 and c.enrollment_id in (select id from enrollments where lead_id = $2)
order by c.created_at desc, c.id desc limit 50;

-- name: lead_decisions
select d.id, d.at, d.kind, d.reason, d.next_at, e.campaign_id, g.name as campaign, u.email as by
from enrollments e join decisions d on d.enrollment_id = e.id join campaigns g on g.id = e.campaign_id
	left join users u on u.id = d.user_id
where e.client_id = $1 and e.lead_id = $2 order by d.id desc limit 100;

-- name: lead_contactability
-- a_campaign: the newest journey's, whose window applies; NULL: the legal default.
select allowed, reason, permanent, next_at from contactability($1, $2, $3, $4);

-- name: lead_clock
-- The wall clock where the lead may be: one row per distinct local time of day.
select to_char($2::timestamptz at time zone z, 'FMHH12:MI AM, FMDay') as clock, min(z) as zone,
	count(*)::int as zones
from leads l, unnest(l.zones) z where l.id = $1 group by 1 order by 1 limit 6;

-- name: lead_export
-- A part of the download, newest first.
select l.id, l.phone, l.contact, l.company, l.email, l.location, l.region, l.time_zone, l.list, l.source,
	l.assigned_agent, r.status, l.outcome, r.consent, l.last_call_at, l.created_at, l.notes, l.attributes
from lead_rows($1, array(select id from lead_page($1, $2, $3, false, $4))) r join leads l on l.id = r.id
order by l.id desc;
