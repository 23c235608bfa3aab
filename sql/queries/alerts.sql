-- name: alert_raise
select raise_alert($1, $2, $3, $4, $5, $6)

-- name: alert_resolve
update alerts set resolved_at = $3, resolved_by = $4 where id = $2 and (client_id = $1 or client_id is null)
	and resolved_at is null

-- name: alert_list
select id, kind, subject, message, link, count, first_at, last_at, resolved_at from alerts
where (client_id = $1 or client_id is null) and id < $2 order by id desc limit $3

-- name: audit_page
select t.id, t.at, t.who, t.action, t.object, t.detail, t.address from audit t
where t.client_id = $1 and t.id < $2 order by t.id desc limit $3

-- name: audit_add
insert into audit (client_id, user_id, who, action, object, detail, address, at) values ($1, $2, $3, $4, $5,
	$6, $7, $8)
