-- Alerts that open and close by themselves, and who was told of them.

alter table alerts
	-- Opened by `trunkline watch`, which closes it when what it is about is over. Others are raised by what
	-- happened, and closed by what mends it.
	add column watched boolean not null default false,
	add column missing_since timestamptz, -- a watched one that is about to be closed
	add column acknowledged_at timestamptz, -- somebody knows; it still shows until it is over
	add column acknowledged_by bigint references users;
create index alerts_newest on alerts (resolved_at, id desc);

-- One telling of one alert by one way. Sent at least once, tried a few times, then given up.
create table alert_messages (
	id bigint generated always as identity primary key,
	alert_id bigint not null references alerts on delete cascade,
	channel text not null check (channel in ('webhook', 'email')),
	what text not null check (what in ('opened', 'closed')),
	tries integer not null default 0,
	next_at timestamptz, -- NULL: sent, or given up
	sent_at timestamptz,
	error text,
	unique (alert_id, channel, what)
);
create index alert_messages_due on alert_messages (next_at) where next_at is not null;
