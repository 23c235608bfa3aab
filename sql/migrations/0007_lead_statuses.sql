-- By which leads are found by status and outcome. What comes of a call changes both, and leads carries so
-- many indexes, one of them of words, that each change cost as much as all the rest of a report. Here it
-- costs three entries, and leads itself, none of whose indexes changes any more, is updated in place (HOT).
create table lead_statuses (
	lead_id bigint primary key,
	client_id bigint not null,
	status text not null,
	outcome text
) with (fillfactor = 80);
insert into lead_statuses select id, client_id, status, outcome from leads;
create index lead_statuses_status on lead_statuses (client_id, status, lead_id desc);
create index lead_statuses_outcome on lead_statuses (client_id, outcome, lead_id desc)
	where outcome is not null;
analyze lead_statuses;
-- Until here leads could be written; what was, is caught up with, and from now on waits for the triggers.
lock table leads in share row exclusive mode;
insert into lead_statuses select id, client_id, status, outcome from leads l
	where not exists (select from lead_statuses s where s.lead_id = l.id);
update lead_statuses s set status = l.status, outcome = l.outcome from leads l
	where l.id = s.lead_id and (l.status, l.outcome) is distinct from (s.status, s.outcome);
delete from lead_statuses s where not exists (select from leads l where l.id = s.lead_id);
drop index leads_status;
drop index leads_outcome;

-- It follows leads by triggers, so that nothing that writes there can forget it.
create function leads_came() returns trigger language plpgsql as $$
begin
	insert into lead_statuses select id, client_id, status, outcome from came;
	return null;
end
$$;
create trigger leads_came after insert on leads referencing new table as came
	for each statement execute function leads_came();

create function lead_changed() returns trigger language plpgsql as $$
begin
	update lead_statuses set status = new.status, outcome = new.outcome where lead_id = new.id;
	return null;
end
$$;
create trigger lead_changed after update of status, outcome on leads for each row
	when (old.status <> new.status or old.outcome is distinct from new.outcome)
	execute function lead_changed();

create function leads_emptied() returns trigger language plpgsql as $$
begin
	truncate lead_statuses;
	return null;
end
$$;
create trigger leads_emptied after truncate on leads for each statement execute function leads_emptied();

create or replace function lead_gone() returns trigger language plpgsql as $$
begin
	delete from consents where lead_id = old.id;
	delete from lead_statuses where lead_id = old.id;
	return null;
end
$$;

-- New words of leads wait in a list until somebody puts 4 MB of them into the index, which may be a webhook
-- that has one to add to the 16 MB of an import. Above that limit the import's own sessions do it.
do $$
begin
	execute format('alter database %I set gin_pending_list_limit = %L', current_database(), '24MB');
end
$$;
