-- What touches more leads than a page has time for: the page does the first piece, `trunkline jobs` the
-- others, each together with how far it came (sql/functions/job.sql). A row is gone when its work is done.
create table jobs (
	id bigint generated always as identity primary key,
	client_id bigint not null references clients,
	-- Of a campaign: enrol leads, requeue the blocked ones, cancel those that wait. Of an import: attest
	-- consent.
	kind text not null check (kind in ('enrol', 'requeue', 'cancel', 'attest')),
	campaign_id bigint references campaigns on delete cascade,
	-- Which leads: those named, those of a list, those an import brought, or only met (known); else all
	-- that are pending.
	leads bigint[],
	list text,
	import_id bigint references imports on delete cascade,
	known boolean not null default false,
	source text,                    -- of the consent, in words
	user_id bigint references users,
	after_lead bigint not null,     -- up to here they were looked at
	looked_at bigint not null,
	total bigint not null,          -- when it began
	changed bigint not null,        -- of those looked at
	created_at timestamptz not null,
	worked_at timestamptz not null
);
create index jobs_campaign on jobs (campaign_id);
create index jobs_import on jobs (import_id);

-- In the order of the pieces.
drop index enrollments_blocked;
create index enrollments_blocked on enrollments (campaign_id, lead_id) where state = 'blocked';
