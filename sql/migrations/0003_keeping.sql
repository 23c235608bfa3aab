-- What keeps the house over the years: what its nightly work did, what was swept, who was erased.

-- One row for each run of backup, backup_check, restore and retention. ok is NULL while it is under way, and
-- stays so where the machine went down meanwhile.
create table maintenance_runs (
	id bigint generated always as identity primary key,
	name text not null,
	started_at timestamptz not null,
	finished_at timestamptz,
	ok boolean,
	detail jsonb not null default '{}' -- what was done, or {"error": why not}
);
create index maintenance_runs_newest on maintenance_runs (name, started_at desc);

-- Up to where old rows were emptied that stay themselves, so that a run need not walk past them again.
create table retention_marks (
	client_id bigint not null references clients,
	kind text not null,
	upto timestamptz not null,
	primary key (client_id, kind)
);

-- That a person was erased, when and by whom; of the number only a keyed hash. consents: which permissions
-- were on record and when, without names or evidence: who asked us later to prove one must name the number.
create table erasures (
	id bigint generated always as identity primary key,
	client_id bigint not null references clients,
	at timestamptz not null,
	who text not null,
	user_id bigint references users,
	phone_hash text not null, -- HMAC-SHA-256 under SECRET_KEY
	removed jsonb not null,   -- how many of what
	consents jsonb not null default '[]'
);
create index erasures_hash on erasures (phone_hash);
