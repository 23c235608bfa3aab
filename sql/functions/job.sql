-- Work on more leads than a page has time for: in pieces, by lead id. The page does the first one, so that
-- what is small is done when it answers; `trunkline jobs` does the others. A piece and how far it came are
-- one transaction, so a job may be interrupted at any moment.
set check_function_bodies = off;

-- How many leads a piece looks at: some 0.2 seconds of work.
create or replace function job_size() returns integer language sql immutable as 'select 10000';

-- The leads of a job, as a query for their ids. What is found here is judged by the piece, under its locks.
create or replace function job_source(j jobs) returns text language sql immutable as $$
	select case
		when j.kind = 'requeue' then format(
			'select lead_id as id from enrollments where campaign_id = %s and state = ''blocked''', j.campaign_id)
		when j.kind = 'cancel' then format(
			'select lead_id as id from enrollments where campaign_id = %s', j.campaign_id)
		when j.leads is not null then format('select distinct unnest(%L::bigint[]) as id', j.leads)
		when j.list is not null then format(
			'select id from leads where client_id = %s and list = %L and archived_at is null', j.client_id, j.list)
		when j.known then format('select distinct lead_id as id from import_lines where import_id = %s'
			' and lead_id is not null', j.import_id)
		when j.import_id is not null then format('select id from leads where import_id = %s', j.import_id)
		else format('select lead_id as id from lead_statuses where client_id = %s and status = ''pending''',
			j.client_id) end
$$;

-- Each of them is one range of an index. A plan that reads the table instead, because the leads came a moment
-- ago and nobody has counted them yet, would do so for each piece.
create or replace function job_leads(j jobs) returns bigint[] language plpgsql stable
	set enable_seqscan = off set enable_bitmapscan = off as $$
declare
	ids bigint[];
begin
	execute format('select array(select id from (%s) s where id > $1 order by id limit $2)', job_source(j))
		into ids using j.after_lead, job_size();
	return ids;
end
$$;

-- Does the next piece. The caller holds the locks. after_lead is NULL where it was the last.
create or replace function job_piece(j jobs, at_time timestamptz) returns jobs language plpgsql as $$
declare
	ids bigint[] := job_leads(j);
begin
	j.changed := j.changed + case j.kind
		when 'enrol' then enrol_leads(j.campaign_id, ids, at_time)
		when 'requeue' then requeue_leads(j.campaign_id, ids, at_time)
		when 'cancel' then cancel_leads(j.campaign_id, ids, j.user_id, at_time)
		when 'attest' then attest_leads(j, ids, at_time) end;
	j.looked_at := j.looked_at + cardinality(ids);
	j.after_lead := case when cardinality(ids) = job_size() then ids[cardinality(ids)] end;
	return j;
end
$$;

-- The first piece, for the page that began it. A person does not wait for what holds many leads for long, the
-- undoing of an import say: then all of it is left to `trunkline jobs`. Less than deadlock_timeout.
create or replace function job_first(j jobs, at_time timestamptz) returns jobs language plpgsql
	set lock_timeout = '0.8s' as $$
begin
	j.after_lead := 0;
	j.looked_at := 0;
	j.changed := 0;
	return job_piece(j, at_time);
exception when lock_not_available then
	return j;
end
$$;

-- Does the first piece and leaves the others, if there are any, to `trunkline jobs`. Where j.total is NULL
-- they are counted.
create or replace function job_begin(j jobs, at_time timestamptz) returns jobs language plpgsql as $$
begin
	j := job_first(j, at_time);
	if j.after_lead is null then
		return j;
	end if;
	if j.total is null then
		execute format('select count(*) from (%s) s', job_source(j)) into j.total;
	end if;
	if j.kind = 'requeue' then
		j.total := j.total + j.changed; -- who was blocked is not found any more
	end if;
	insert into jobs (client_id, kind, campaign_id, leads, list, import_id, known, source, user_id, after_lead,
		looked_at, total, changed, created_at, worked_at)
	values (j.client_id, j.kind, j.campaign_id, j.leads, j.list, j.import_id, coalesce(j.known, false), j.source,
		j.user_id, j.after_lead, j.looked_at, greatest(j.total, j.looked_at), j.changed, at_time, at_time);
	perform pg_notify('jobs', '');
	return j;
end
$$;

-- Goes on with the oldest job by one piece. False: there is none.
create or replace function job_step(at_time timestamptz) returns boolean language plpgsql as $$
declare
	j jobs;
begin
	select * into j from jobs order by id limit 1;
	if not found then
		return false;
	end if;
	-- In the order in which pages lock.
	if j.kind = 'attest' then
		perform from imports where id = j.import_id for update;
	else
		perform from clients where id = j.client_id for no key update;
		perform from campaigns where id = j.campaign_id for update;
	end if;
	select * into j from jobs where id = j.id for update;
	if not found then
		return true; -- another worker ended it, or a person took it back
	end if;
	-- What a power cut takes back it takes back as a whole, with the note of how far we were: it is done again.
	-- Who was called because of it is safe: that was committed later, and waited for the disk.
	perform set_config('synchronous_commit', 'off', true);
	j := job_piece(j, at_time);
	if j.after_lead is null then
		delete from jobs where id = j.id;
		perform campaign_touched(j.campaign_id);
		perform campaign_finish_if_done(j.campaign_id, at_time);
	else
		update jobs set after_lead = j.after_lead, looked_at = j.looked_at, changed = j.changed,
			total = greatest(total, j.looked_at), worked_at = at_time where id = j.id;
	end if;
	perform pg_notify('live', '');
	return true;
end
$$;

-- What is still under way for a campaign or an import: [{"kind", "done", "total"}].
create or replace function jobs_of(a_campaign bigint, a_import bigint) returns jsonb language sql stable as $$
	select coalesce(jsonb_agg(jsonb_build_object('kind', kind, 'done', looked_at, 'total', total)
		order by id), '[]')
	from jobs where campaign_id = a_campaign or import_id = a_import and kind = 'attest'
$$;
