-- The tables of the house. Words as in fcgi/README.md. Every owned row carries client_id.
-- The rows that come in millions (leads, consents, calls, decisions) are written by functions that hold what
-- they point to; a foreign key would look it up once more for each, which costs more than the rest of it.
-- What goes with a deleted row is deleted by triggers, as a cascade would.
-- Times are timestamptz, money is bigint micro-dollars in columns named *_usd, states are text with a check.
create extension if not exists pg_trgm;

-- Disks of today find a page anywhere as fast as the next one; with the old costs small tables are read whole
-- for every row of a list. And compiling a plan costs more than our longest one gains by it.
do $$
begin
	execute format('alter database %I set random_page_cost = 1.1', current_database());
	execute format('alter database %I set jit = off', current_database());
end
$$;

-- What `trunkline migrate` has applied: migrations have a version, functions have none.
create table schema_migrations (
	name text primary key,
	version integer unique,
	checksum text not null,
	applied_at timestamptz not null
);

create table clients (
	id bigint generated always as identity primary key,
	name text not null,
	created_at timestamptz not null default now()
);
insert into clients (name) values ('Default');

create table users (
	id bigint generated always as identity primary key,
	client_id bigint not null references clients,
	email text not null,
	name text not null default '',
	role text not null check (role in ('admin', 'member', 'viewer')),
	password_hash text not null,
	token_epoch integer not null default 1, -- raising it ends every session of this user
	time_zone text,
	active boolean not null default true,
	created_at timestamptz not null default now(),
	last_login_at timestamptz
);
create unique index users_email on users (lower(email));

-- Failed sign-ins, for throttling by address and by account; swept when a sign-in is tried.
create table login_failures (
	key text not null, -- 'ip 192.0.2.1' or 'email a@b'
	at timestamptz not null
);
create index login_failures_key on login_failures (key, at);

create table settings (
	client_id bigint not null references clients,
	name text not null,   -- bland_api_key, voice, rep, ...
	value jsonb,          -- plain settings
	sealed text,          -- AES-256-GCM, hex; for keys. Never leaves store/setting.c
	hint text,            -- the last characters, for showing "…4f2a"
	updated_at timestamptz not null default now(),
	updated_by bigint references users,
	primary key (client_id, name),
	check ((value is null) <> (sealed is null))
);

create table prompts (
	id bigint generated always as identity primary key,
	client_id bigint not null references clients,
	name text not null check (name ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
	current_version integer not null default 1,
	archived_at timestamptz,
	created_at timestamptz not null default now(),
	unique (client_id, name)
);

-- A version never changes: calls point at the one they spoke from.
create table prompt_versions (
	id bigint generated always as identity primary key,
	prompt_id bigint not null references prompts on delete cascade,
	version integer not null,
	body text not null,
	first_sentence text not null default '',
	voicemail_message text not null default '',
	defaults jsonb not null default '{}', -- what a missing placeholder says: {"contact": "there"}
	note text not null default '',
	created_by bigint references users,
	created_at timestamptz not null default now(),
	unique (prompt_id, version)
);

-- Zones that the server knows; pg_timezone_names itself reads a directory each time.
create table zone_names (name text primary key);
insert into zone_names select name from pg_timezone_names on conflict do nothing;
create index zone_names_lower on zone_names (lower(name));

create table imports (
	id bigint generated always as identity primary key,
	client_id bigint not null references clients,
	state text not null default 'queued'
		check (state in ('mapping', 'queued', 'running', 'done', 'failed', 'canceled', 'undone')),
	file_name text not null,
	size_bytes bigint not null default 0,
	sha256 text not null,
	spool_path text,        -- NULL once the file is no longer needed
	format text,            -- csv, xlsx
	encoding text,
	delimiter text,
	columns jsonb not null default '[]', -- [{"name","field","key","samples"}], in the file's order
	options jsonb not null default '{}', -- prompt_name, list, update_policy, consent, consent_source,
	                                     -- default_country, campaign_id, encoding, delimiter, header
	bytes_done bigint not null default 0,
	line_done bigint not null default 0,     -- the last line that was dealt with: where to go on after a crash
	rows_total bigint not null default 0,    -- = created + updated + skipped + rejected, always
	rows_created bigint not null default 0,
	rows_updated bigint not null default 0,
	rows_skipped bigint not null default 0,  -- duplicates
	rows_rejected bigint not null default 0, -- each with a line in import_lines
	same_as bigint references imports,       -- an earlier import of the very same bytes
	error text,
	lease_token uuid,
	lease_until timestamptz,
	tries integer not null default 0,        -- takes of the job since its last step forward
	created_by bigint references users,
	created_at timestamptz not null default now(),
	started_at timestamptz,
	finished_at timestamptz,
	undo_asked_at timestamptz,
	cancel_asked_at timestamptz,
	undone_at timestamptz,
	check (rows_total = rows_created + rows_updated + rows_skipped + rows_rejected)
);
create index imports_client on imports (client_id, id desc);
create index imports_open on imports (id) where state in ('queued', 'running');
create index imports_undo on imports (id) where undo_asked_at is not null;
create index imports_sha on imports (client_id, sha256);

-- Every line that did not become a new lead, and why. The raw text can be downloaded again.
create table import_lines (
	import_id bigint not null references imports on delete cascade,
	line bigint not null,
	verdict text not null check (verdict in ('rejected', 'skipped', 'updated')),
	column_name text not null default '',
	reason text not null,
	raw jsonb,          -- the fields as they stood
	lead_id bigint,
	before jsonb,       -- for 'updated': {"email": [old, new]}, so that an import can be undone
	primary key (import_id, line)
);
create index import_lines_lead on import_lines (import_id, lead_id) where lead_id is not null;

create table leads (
	id bigint generated always as identity primary key,
	client_id bigint not null,
	phone text not null check (phone ~ '^\+[1-9][0-9]{6,14}$'),
	extension text,
	contact text not null default '',
	company text not null default '',
	email text not null default '',
	location text not null default '',
	region text,          -- state or province, upper-case code
	time_zone text,       -- stated in the file or by a person
	zones text[] not null default '{}', -- every zone in which this person may be (zones_of); {} = unknown
	source text not null default '',
	assigned_agent text not null default '',
	notes text not null default '',
	list text not null default '',
	prompt_name text not null default 'default',
	attributes jsonb not null default '{}', -- every other column of the file
	-- Shown as dialing while a call is under way; that is looked up, not written down (functions/lead_page.sql).
	status text not null default 'pending' check (status in ('pending', 'done', 'error')),
	status_reason text,   -- for error: why, in a word of rules/outcome
	outcome text,         -- of the newest ended call
	last_call_id uuid,
	last_call_at timestamptz,
	number_state text not null default 'unknown' check (number_state in ('unknown', 'good', 'invalid')),
	import_id bigint,
	import_line bigint,
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now(),
	archived_at timestamptz,
	unique (client_id, phone)
) with (fillfactor = 85);
create index leads_newest on leads (client_id, id desc) where archived_at is null;
create index leads_status on leads (client_id, status, id desc) where archived_at is null;
create index leads_outcome on leads (client_id, outcome, id desc) where archived_at is null;
create index leads_import on leads (import_id, id desc);
create index leads_list on leads (client_id, list, id desc) where archived_at is null and list <> '';
create index leads_archived on leads (client_id, id desc) where archived_at is not null;
create index leads_search on leads using gin
	(lower(contact || ' ' || company || ' ' || email || ' ' || phone) gin_trgm_ops);

create table campaigns (
	id bigint generated always as identity primary key,
	client_id bigint not null references clients,
	name text not null,
	state text not null default 'draft' check (state in ('draft', 'running', 'paused', 'done', 'archived')),
	state_reason text,          -- why it is paused, in words
	prompt_id bigint references prompts, -- NULL: each lead's own prompt_name
	concurrency integer not null default 3 check (concurrency between 1 and 1000000),
	pace_per_second numeric not null default 10 check (pace_per_second > 0),
	window_start time not null default '08:00', -- in the lead's zone; 47 CFR 64.1200(c)(1)
	window_end time not null default '21:00',   -- '24:00' = midnight
	window_days integer[] not null default '{1,2,3,4,5,6,7}', -- ISO: Monday = 1
	window_wide boolean not null default false, -- an admin allowed more than 08:00-21:00
	max_attempts integer not null default 3 check (max_attempts between 1 and 20),
	-- per outcome or reason: {"busy": {"retries": 3, "delay": 600, "factor": 2}}, seconds
	retry_policy jsonb not null default '{}',
	voice text,
	max_duration integer not null default 10 check (max_duration between 1 and 720), -- minutes
	record boolean not null default false,
	voicemail_action text not null default 'hangup' check (voicemail_action in ('hangup', 'leave_message')),
	caller_number text,
	rep text not null default '',
	settings jsonb not null default '{}',
	created_by bigint references users,
	created_at timestamptz not null default now(),
	started_at timestamptz,
	started_by bigint references users,
	paused_at timestamptz,
	stopped_at timestamptz,     -- while running: calls under way end, nothing is tried again
	finished_at timestamptz,
	unique (client_id, name)
);

create table steps (
	id bigint generated always as identity primary key,
	campaign_id bigint not null references campaigns on delete cascade,
	position integer not null,
	kind text not null check (kind in ('call', 'sms', 'whatsapp', 'voice', 'email', 'webhook', 'wait')),
	settings jsonb not null default '{}',
	unique (campaign_id, position)
);

create table enrollments (
	id bigint generated always as identity primary key,
	client_id bigint not null,
	campaign_id bigint not null references campaigns,
	lead_id bigint not null references leads on delete cascade,
	step integer not null default 1,
	-- waiting: due at due_at. under_way: a live call. ambiguous: a call nobody knows of.
	-- blocked: nothing happens until something changes (consent, a number); the last three are final.
	state text not null default 'waiting' check
		(state in ('waiting', 'under_way', 'ambiguous', 'blocked', 'done', 'error', 'canceled')),
	due_at timestamptz not null default now(),
	priority integer not null default 0, -- promised callbacks go first
	tries integer not null default 0,    -- rows in calls; numbers the next one
	attempts integer not null default 0, -- those that reached out to the person
	outcome text,
	reason text,      -- why it waits, is blocked or ended; a code that pages turn into a sentence
	created_at timestamptz not null default now(),
	changed_at timestamptz not null default now(),
	unique (campaign_id, lead_id)
) with (fillfactor = 80);
create index enrollments_due on enrollments (campaign_id, priority desc, due_at, id) where state = 'waiting';
create index enrollments_busy on enrollments (campaign_id, changed_at)
	where state in ('under_way', 'ambiguous');
create index enrollments_blocked on enrollments (campaign_id) where state = 'blocked';
create index enrollments_lead on enrollments (lead_id);

-- What was decided about an enrollment and why: retries, holds, blocks, people's interventions.
create table decisions (
	id bigint generated always as identity primary key,
	enrollment_id bigint not null,
	at timestamptz not null,
	kind text not null,     -- retry, hold, blocked, unblocked, done, error, ambiguous, resolved, canceled
	reason text not null default '',
	next_at timestamptz,
	detail jsonb not null default '{}',
	user_id bigint references users
);
create index decisions_enrollment on decisions (enrollment_id, id);

-- One attempt to reach somebody by voice. Written and committed before the provider hears of it.
create table calls (
	-- Our own, in order of time (uuid_at); goes out as metadata.attempt_id and comes back in the webhook.
	id uuid primary key,
	client_id bigint not null,
	campaign_id bigint not null,
	enrollment_id bigint not null,
	lead_id bigint not null,
	phone text not null,
	step integer not null,
	try integer not null,
	attempt integer not null default 1, -- as people count: without the refused ones
	state text not null default 'placing'
		check (state in ('placing', 'placed', 'under_way', 'ended', 'ambiguous')),
	provider text not null default 'bland',
	provider_call_id text,
	prompt_version_id bigint,  -- versions never go
	lease_token uuid,          -- of the dialer run that may POST it
	lease_until timestamptz,   -- while placing: past it, nobody may POST it any more
	deadline_at timestamptz,   -- past it, the provider is asked what became of it
	lookups integer not null default 0, -- in a row that found nothing
	away integer not null default 0,    -- in a row that nobody answered
	unknown_since text,        -- when nobody knew of it any more, by a clock that does not jump (engine/tick.c)
	created_at timestamptz not null,
	placed_at timestamptz,
	started_at timestamptz,    -- somebody or something answered
	ended_at timestamptz,
	outcome text check (outcome in ('interested', 'not_interested', 'follow_up', 'callback', 'voicemail',
		'no_answer', 'busy', 'hangup', 'invalid_number', 'do_not_contact', 'canceled', 'failed', 'unknown')),
	reason text,               -- for failed: unavailable, carrier_blocked, rate_limited, never_placed, ...
	rule text,                 -- the row of rules/outcome that decided, such as "7"
	rule_version integer,
	outcome_rank integer not null default 0, -- a later report may only raise it
	answered_by text,
	disposition text,
	ended_by text,
	duration_seconds integer,
	cost_usd bigint,           -- micro-dollars
	transcript text compression lz4,
	turns jsonb compression lz4, -- [{"speaker","text","at"}]
	summary text,
	recording_url text,
	error_message text,
	unique (enrollment_id, step, try),
	check ((state = 'ended') = (ended_at is not null))
-- Room for the answer's version beside the claim's: no index names what the answer changes.
) with (fillfactor = 50);
create index calls_live on calls (client_id, campaign_id) where ended_at is null;
create index calls_newest on calls (client_id, created_at desc, id desc);
create index calls_outcome on calls (client_id, outcome, created_at desc, id desc) where outcome is not null;
create index calls_campaign on calls (campaign_id, created_at desc);

-- Which call a provider's id means; one id never means two. Apart from calls, whose indexes would all have to
-- be written again when the id becomes known.
create table provider_ids (
	provider text not null,
	provider_call_id text not null,
	call_id uuid, -- NULL: events came, their call is not known yet
	primary key (provider, provider_call_id)
);

-- One thing a provider told us. Stored raw before anything is made of it; applied at most once.
create table events (
	id bigint generated always as identity primary key,
	provider text not null,
	dedupe_key text not null,     -- SHA-256 of the raw body
	kind text not null,           -- post_call, in_call, enrichment, unreadable
	provider_call_id text,
	call_id uuid,                 -- ours, where the event could be matched
	signature text not null,      -- good, bad, unsigned
	verdict text not null,        -- applied, noted, unknown_call, refused, unreadable
	deliveries integer not null default 1,
	received_at timestamptz not null,
	applied_at timestamptz,
	error text,
	body text compression lz4,    -- as received, NULs and ill-formed UTF-8 replaced
	headers jsonb not null default '{}',
	normalized jsonb,             -- what rules/outcome made of it; applied again if the call shows up late
	unique (provider, dedupe_key)
);
create index events_call on events (call_id) where call_id is not null;
create index events_unknown on events (provider, provider_call_id) where verdict = 'unknown_call';
create index events_newest on events (received_at desc, id desc);

-- Permission, as dated events with evidence. The newest for (lead, channel, purpose) holds.
create table consents (
	id bigint generated always as identity primary key,
	client_id bigint not null,
	lead_id bigint not null,
	channel text not null check (channel in ('call', 'sms', 'whatsapp', 'email')),
	purpose text not null default 'marketing',
	granted boolean not null, -- false: withdrawn
	source text not null,     -- where it comes from, in words
	evidence text not null default '',
	at timestamptz not null,
	import_id bigint,
	call_id uuid,
	recorded_by bigint,
	recorded_at timestamptz not null default now()
);
create index consents_newest on consents (lead_id, channel, purpose, at desc, id desc);
create index consents_import on consents (import_id) where import_id is not null;

create function lead_gone() returns trigger language plpgsql as $$
begin
	delete from consents where lead_id = old.id;
	return null;
end
$$;
create trigger lead_gone after delete on leads for each row execute function lead_gone();

create function enrollment_gone() returns trigger language plpgsql as $$
begin
	delete from decisions where enrollment_id = old.id;
	with gone as (delete from calls where enrollment_id = old.id returning provider, provider_call_id)
	delete from provider_ids p using gone g
	where p.provider = g.provider and p.provider_call_id = g.provider_call_id;
	return null;
end
$$;
create trigger enrollment_gone after delete on enrollments for each row execute function enrollment_gone();

-- A standing order never to contact. channel NULL: on none of them.
create table suppressions (
	id bigint generated always as identity primary key,
	client_id bigint references clients, -- NULL: for all clients
	channel text check (channel in ('call', 'sms', 'whatsapp', 'email')),
	phone text,
	email text,
	reason text not null,
	source text not null default '',
	evidence text not null default '',
	call_id uuid,
	created_by bigint references users,
	created_at timestamptz not null default now(),
	check (phone is not null or email is not null)
);
create unique index suppressions_once on suppressions
	(coalesce(client_id, 0), coalesce(channel, ''), coalesce(phone, ''), coalesce(email, ''));
create index suppressions_phone on suppressions (phone) where phone is not null;
create index suppressions_email on suppressions (email) where email is not null;

-- What the dialer may do with one provider for one client: breaker, pace and ceilings. The row is also
-- the lock under which claims are counted, so that two dialers can never exceed a limit together.
create table provider_limits (
	client_id bigint not null references clients,
	provider text not null,
	concurrency integer,       -- ceiling over all campaigns; NULL: CONCURRENCY
	pace_per_second numeric not null default 10,
	per_hour integer,          -- NULL: no ceiling
	per_day integer,
	hold_until timestamptz,    -- after a 429 or while the provider is away
	hold_reason text,
	stopped_reason text,       -- 401, 402, 403: a person must act; NULL = may dial
	stopped_at timestamptz,
	failures integer not null default 0, -- consecutive, for the back-off of hold_until
	claimed_by uuid,           -- the dialer run that claims now; another waits until it has been quiet
	claimed_at timestamptz,
	claimed_boot text,         -- the same by a clock that does not jump: microseconds of this boot
	claimed_mono bigint,
	primary key (client_id, provider)
);
insert into provider_limits (client_id, provider) select id, 'bland' from clients;

-- Things that need a person; shown until resolved.
create table alerts (
	id bigint generated always as identity primary key,
	client_id bigint references clients,
	kind text not null,        -- provider_refused, campaign_paused, ambiguous_call, bad_signature, ...
	subject text not null,     -- what it is about, so that it is raised once: 'campaign 7'
	message text not null,
	link text not null default '',
	count integer not null default 1,
	first_at timestamptz not null,
	last_at timestamptz not null,
	resolved_at timestamptz,
	resolved_by bigint references users
);
create unique index alerts_open on alerts (coalesce(client_id, 0), kind, subject) where resolved_at is null;

create table audit (
	id bigint generated always as identity primary key,
	at timestamptz not null default now(),
	client_id bigint references clients,
	user_id bigint references users,
	who text not null default '', -- e-mail, 'ADMIN_TOKEN', 'trunkline'
	action text not null,         -- campaign.start, setting.change, ...
	object text not null default '',
	detail jsonb not null default '{}',
	address text
);
create index audit_newest on audit (client_id, id desc);
create index audit_object on audit (client_id, object, id desc);

create table dialer_runs (
	id uuid primary key,
	host text not null,
	pid integer not null,
	started_at timestamptz not null,
	seen_at timestamptz not null,
	ended_at timestamptz,
	placed integer not null default 0
);
create index dialer_runs_seen on dialer_runs (seen_at desc);

-- Counts over many rows, kept for a moment; see functions/tally.sql. May be emptied at any time.
create unlogged table tallies (
	client_id bigint not null references clients,
	subject text not null,   -- 'leads', 'campaign 7', 'day Europe/Berlin'
	data jsonb not null,
	at timestamptz not null,
	took interval not null,  -- how long the counting took
	primary key (client_id, subject)
) with (fillfactor = 50);
