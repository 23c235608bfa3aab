-- name: prompt_list
select p.id, p.name, p.current_version as version, v.body, v.first_sentence, v.voicemail_message,
	v.created_at as updated_at,
	(select count(*) from campaigns c where c.prompt_id = p.id and c.state in ('running', 'paused')) as campaigns
from prompts p join prompt_versions v on v.prompt_id = p.id and v.version = p.current_version
where p.client_id = $1 and p.archived_at is null order by p.name = 'default' desc, p.name

-- name: prompt_find
-- $3: a version, or NULL for the current one.
select p.id, p.name, v.version, p.current_version, v.body, v.first_sentence, v.voicemail_message,
	v.defaults, v.note,
	v.created_at as updated_at, u.email as author
from prompts p join prompt_versions v on v.prompt_id = p.id and v.version = coalesce($3, p.current_version)
	left join users u on u.id = v.created_by
where p.client_id = $1 and p.name = $2 and p.archived_at is null

-- name: prompt_versions
select v.version, v.note, v.created_at, u.email as author, v.version = p.current_version as current,
	length(v.body) as length
from prompts p join prompt_versions v on v.prompt_id = p.id left join users u on u.id = v.created_by
where p.client_id = $1 and p.name = $2 and p.archived_at is null order by v.version desc limit 100

-- name: prompt_save
select prompt_save($1, $2, $3, $4, $5, $6, $7, $8, $9) as version

-- name: prompt_archive
update prompts set archived_at = $3 where client_id = $1 and name = $2 and archived_at is null
	and name <> 'default'

-- name: prompt_in_use
select count(*) as n from campaigns c join prompts p on p.id = c.prompt_id
where p.client_id = $1 and p.name = $2 and c.state in ('running', 'paused')

-- name: prompt_sample_leads
select id, contact, company, phone from leads where client_id = $1 and archived_at is null
	order by id desc limit 20

-- name: prompt_lead
select id, phone, contact, company, email, location, region, source, assigned_agent, notes, list, attributes,
	zones[1] as time_zone
from leads where client_id = $1 and (id = $2 or $2 is null) and archived_at is null order by id desc limit 1

-- name: prompt_clients_without
select c.id from clients c where not exists (select from prompts p where p.client_id = c.id and p.name = $1)
