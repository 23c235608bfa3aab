-- What an installation of the first release (migrations 0001 and 0002) may hold.
insert into users (client_id, email, name, role, password_hash) values
	(1, 'owner@example.test', 'Olivia', 'admin', '$y$j9T$abc$def'),
	(1, 'member@example.test', '', 'member', 'x');
insert into settings (client_id, name, value) values (1, 'rep', '"Acme"'), (1, 'keep_events', '"90"');
insert into settings (client_id, name, sealed, hint) values (1, 'bland_api_key', 'ab12', '9f3a');
insert into prompts (client_id, name) values (1, 'default');
insert into prompt_versions (prompt_id, version, body) values (1, 1, 'Hello {{contact}}, ünïcode ☎ \n');
insert into imports (client_id, state, file_name, sha256, rows_total, rows_created, rows_rejected,
	finished_at)
	values (1, 'done', 'leads.csv', 'abc', 4, 3, 1, now() - interval '3 days');
insert into import_lines (import_id, line, verdict, reason, raw) values
	(1, 4, 'rejected', 'no phone', '["Jane", "nope"]');
insert into leads (client_id, phone, contact, email, import_id, attributes)
	select 1, '+1415555' || lpad(n::text, 4, '0'), 'Person ' || n, 'p' || n || '@example.test', 1,
		jsonb_build_object('n', n, 'quote', '"''\')
	from generate_series(1, 300) n;
insert into campaigns (client_id, name, state) values (1, 'First', 'running');
insert into steps (campaign_id, position, kind) values (1, 1, 'call');
insert into enrollments (client_id, campaign_id, lead_id, state) select 1, 1, id, 'done' from leads;
insert into calls (id, client_id, campaign_id, enrollment_id, lead_id, phone, step, try, state, created_at,
	ended_at, outcome, transcript, turns, summary, recording_url, provider_call_id, cost_usd)
	select gen_random_uuid(), 1, 1, e.id, l.id, l.phone, 1, 1, 'ended', now() - l.id * interval '4 hours',
		now() - l.id * interval '4 hours', 'voicemail', 'Hi, this is ' || l.contact, '[{"speaker": "user"}]',
		'A summary', 'https://recordings.example/' || l.id, 'call-' || l.id, 12345
	from enrollments e join leads l on l.id = e.lead_id;
insert into provider_ids (provider, provider_call_id, call_id)
	select 'bland', provider_call_id, id from calls;
insert into events (provider, dedupe_key, kind, provider_call_id, call_id, signature, verdict, received_at,
	body) select 'bland', md5(id::text), 'post_call', provider_call_id, id, 'good', 'applied', created_at,
		'{"to": "' || phone || '"}' from calls;
insert into decisions (enrollment_id, at, kind, reason)
	select enrollment_id, created_at, 'done', 'voicemail' from calls order by created_at;
insert into consents (client_id, lead_id, channel, granted, source, evidence, at)
	select 1, id, 'call', true, 'web form', 'ticked by ' || contact, now() - interval '60 days' from leads;
insert into suppressions (client_id, phone, reason, evidence) values (1, '+14155559999', 'asked', 'by mail');
insert into login_failures (key, at) values
	('ip 192.0.2.1', now() - interval '40 days'), ('ip 192.0.2.1', now()),
	('ip 192.0.2.1', now());
insert into audit (client_id, user_id, who, action) values (1, 1, 'owner@example.test', 'campaign.start');
