-- name: alert_raise
select raise_alert($1, $2, $3, $4, $5, $6)

-- name: alert_resolve
update alerts set resolved_at = $3, resolved_by = $4 where id = $2 and (client_id = $1 or client_id is null)
	and resolved_at is null

-- name: alert_acknowledge
update alerts set acknowledged_at = $3, acknowledged_by = $4
where id = $2 and (client_id = $1 or client_id is null) and resolved_at is null and acknowledged_at is null

-- Open ones, or those that are over.
-- name: alert_list
select a.id, a.kind, a.subject, a.message, a.link, a.count, a.first_at, a.last_at, a.resolved_at,
	a.acknowledged_at, u.email as acknowledged_by
from alerts a left join users u on u.id = a.acknowledged_by
where (a.client_id = $1 or a.client_id is null) and a.id < $2 and (a.resolved_at is null) = $4
order by a.id desc limit $3

-- name: alert_open_all
select kind, subject, message, link, first_at, acknowledged_at from alerts where resolved_at is null
order by acknowledged_at is not null, id desc limit 50

-- name: watch_apply
select watch_apply($1, $2, $3) as report

-- name: alert_messages_add
select alert_messages_add($1, $2)

-- name: alert_messages_take
select * from alert_messages_take($1, $2)

-- name: alert_messages_done
update alert_messages set error = nullif($3, ''), sent_at = case when $3 = '' then $2::timestamptz end,
	next_at = case when $3 <> '' then next_at end
where id = any (array(select x::bigint from jsonb_array_elements_text($1) x))

-- name: audit_page
select t.id, t.at, t.who, t.action, t.object, t.detail, t.address from audit t
where t.client_id = $1 and t.id < $2 order by t.id desc limit $3

-- name: audit_add
insert into audit (client_id, user_id, who, action, object, detail, address, at) values ($1, $2, $3, $4, $5,
	$6, $7, $8)
