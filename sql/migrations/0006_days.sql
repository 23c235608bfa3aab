-- What the calls of a day came to, so that a year can be shown without counting a year's calls. Written by
-- `trunkline rollup`, never by what makes calls. Nobody can be recognised in it: it stays when calls go.
create table call_days (
	client_id bigint not null,
	day date not null, -- in the installation's time zone
	campaign_id bigint not null,
	calls integer not null,
	ended integer not null,
	answered integer not null, -- by a person
	seconds bigint not null,
	cost_usd bigint not null,
	outcomes jsonb not null,   -- {"interested": 3, …}
	primary key (client_id, day, campaign_id)
);
