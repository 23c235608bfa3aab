-- name: campaign_page
select page.*, (page.tally->>'cost')::bigint as cost_usd
from (select c.id, c.name, c.state, campaign_status(c) as status, c.state_reason, p.name as prompt,
		c.concurrency, c.created_at, c.started_at, c.finished_at, tally($1, 'campaign ' || c.id, $4) as tally
	from campaigns c left join prompts p on p.id = c.prompt_id
	where c.client_id = $1 and c.id < $2 and (c.state = $5 or ($5 is null and c.state <> 'archived'))
	order by c.id desc limit $3) page
order by id desc

-- name: campaign_find
select c.id, c.name, c.state, campaign_status(c) as status, c.state_reason, c.prompt_id, p.name as prompt,
	c.concurrency, c.pace_per_second::float8 as pace_per_second,
	to_char(c.window_start, 'HH24:MI') as window_start, case when c.window_end = '24:00' then '24:00'
		else to_char(c.window_end, 'HH24:MI') end as window_end, to_jsonb(c.window_days) as window_days,
	c.window_wide, c.max_attempts, c.retry_policy, c.voice, c.max_duration, c.record, c.voicemail_action,
		c.caller_number,
	c.rep, c.settings, jobs_of(c.id, null) as jobs, c.created_at, c.started_at, c.paused_at, c.finished_at,
	u.email as started_by,
	t.tally, (t.tally->>'cost')::bigint as cost_usd
from campaigns c left join prompts p on p.id = c.prompt_id left join users u on u.id = c.started_by
	cross join lateral (select tally(c.client_id, 'campaign ' || c.id, $3, true) as tally offset 0) t
where c.client_id = $1 and c.id = $2

-- name: campaign_put
select campaign_put($1, $2, $3, $4, $5) as id

-- name: campaign_enrol
select campaign_enrol($1, $2, case when $3::jsonb is null then null
	else array(select jsonb_array_elements_text($3)::bigint) end, $4) as n

-- name: campaign_enrol_list
select campaign_enrol($1, null, null, $2, $3) as n

-- name: campaign_start
select campaign_start($1, $2, $3, $4) as changed

-- name: campaign_pause
select campaign_pause($1, $2, $3, $4) as changed

-- name: campaign_stop
select campaign_stop($1, $2, $3, $4) as n

-- name: campaign_archive
select campaign_archive($1, $2, $3, $4) as changed

-- name: campaign_preflight
select campaign_preflight($1, $2, $3) as preflight

-- name: campaign_reasons
select r.reason, r.state, r.n, r.next_at
from jsonb_to_recordset(tally((select client_id from campaigns where id = $1), 'reasons ' || $1::bigint,
	$2, true)) r (reason text, state text, n bigint, next_at timestamptz)

-- name: campaign_leads
select e.id, e.lead_id, e.state, e.state as status, e.reason, e.outcome, e.attempts, e.due_at, e.changed_at,
	l.phone, l.contact, l.company, l.zones[1] as time_zone, to_char($5 at time zone l.zones[1],
		'HH24:MI') as local_time
from enrollments e join leads l on l.id = e.lead_id
where e.campaign_id = $1 and e.id < $2 and ($4::text is null or e.state = $4) order by e.id desc limit $3

-- name: campaign_open
select id, state from campaigns where client_id = $1 and state in ('running', 'paused')
	and ($2 or coalesce(settings->>'sandbox', '') <> 'true')
	and not exists (select from jobs where campaign_id = campaigns.id and kind = 'cancel')
order by state desc, id desc limit 1

-- name: campaign_running_ids
select id from campaigns where client_id = $1 and state = 'running'

-- name: campaign_sample
select l.id, l.phone, l.contact, l.company, l.email, l.location, l.region, l.source, l.assigned_agent,
	l.notes, l.list,
	l.attributes, l.prompt_name from enrollments e join leads l on l.id = e.lead_id
where e.campaign_id = $1 and e.state in ('waiting', 'blocked') order by e.id limit $2

-- name: campaign_lists
select list as name, count(*) as n from leads where client_id = $1 and archived_at is null
	and status = 'pending' and list <> ''
group by list order by max(id) desc limit 50

-- name: campaign_imports
select id, file_name, rows_created, finished_at from imports where client_id = $1 and state = 'done'
	and rows_created > 0
order by id desc limit 30

-- name: leads_pending_free
select tally($1, 'free', $2, true) as n
