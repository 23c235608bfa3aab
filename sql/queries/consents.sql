-- name: consent_list
select c.id, c.channel, c.purpose, c.granted, c.source, c.evidence, c.at, c.import_id, c.call_id::text,
	u.email as recorded_by, c.recorded_at
from consents c left join users u on u.id = c.recorded_by
where c.client_id = $1 and c.lead_id = $2 order by c.at desc, c.id desc limit $3;

-- name: consent_add
-- For each of the leads that are this client's own; answers how many.
with made as (
	insert into consents (client_id, lead_id, channel, granted, source, evidence, at, recorded_by)
	select l.client_id, l.id, $3, $4, $5, $6, $7, $8 from leads l where l.client_id = $1
		and l.id in (select value::bigint from jsonb_array_elements_text($2::jsonb))
	returning id
)
select count(*) as recorded, max(id) as id from made;

-- name: suppression_list
select s.id, s.channel, s.phone, s.email, s.reason, s.source, s.evidence, s.call_id::text, s.created_at,
	u.email as by, l.id as lead_id, l.contact, l.company
from suppressions s left join users u on u.id = s.created_by
	left join leads l on l.client_id = $1 and l.phone = s.phone
where (s.client_id = $1 or s.client_id is null) and s.id < $2
	and ($3::text is null or s.phone like '%' || $3 || '%' or s.email like '%' || $3 || '%')
order by s.id desc limit $4;

-- name: suppression_find
select s.id, s.channel, s.phone, s.email, s.reason, s.source, s.created_at from suppressions s
where s.client_id = $1 and s.id = $2;

-- name: suppression_add
insert into suppressions (client_id, channel, phone, email, reason, source, evidence, created_by, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict do nothing returning id;

-- name: suppression_same
select id from suppressions where client_id = $1 and coalesce(channel, '') = coalesce($2, '')
	and coalesce(phone, '') = coalesce($3, '') and coalesce(email, '') = coalesce($4, '');

-- name: suppression_add_leads
insert into suppressions (client_id, phone, reason, source, created_by, created_at)
select l.client_id, l.phone, $3, $4, $5, $6 from leads l where l.client_id = $1
	and l.id in (select value::bigint from jsonb_array_elements_text($2::jsonb))
on conflict do nothing;

-- name: suppression_remove
with gone as (delete from suppressions where client_id = $1 and id = $2 returning phone, email)
select g.phone, g.email, l.id as lead_id from gone g
	left join leads l on l.client_id = $1 and l.phone = g.phone;
