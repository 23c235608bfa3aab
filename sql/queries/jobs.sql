-- name: job_step
select job_step($1) as worked;

-- name: job_left
select coalesce(sum(total - looked_at), 0)::bigint as n from jobs
where campaign_id = $1 and kind = 'enrol' or import_id = $2 and kind = 'attest';
