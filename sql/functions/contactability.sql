-- May this lead be contacted now on this channel, why not, when next? The one place that decides it: used by
-- the claim, by every send and by the pages that explain it. Fails closed.
set check_function_bodies = off;

-- What a row of area_code_zones for this number in E.164 can be called.
create or replace function area_prefixes(a_phone text) returns text[] language sql immutable as $$
	select array[substr(a_phone, 2, 10), substr(a_phone, 2, 9), substr(a_phone, 2, 8), substr(a_phone, 2, 7),
		substr(a_phone, 2, 6), substr(a_phone, 2, 5), substr(a_phone, 2, 4), substr(a_phone, 2, 3),
		substr(a_phone, 2, 2), substr(a_phone, 2, 1)]
$$;

-- The area code's row: country, region and zones of a number in E.164; the longest known prefix wins.
create or replace function area_of(a_phone text) returns area_code_zones language sql stable as $$
	select a from area_code_zones a where prefix = any (area_prefixes(a_phone))
	order by length(prefix) desc limit 1
$$;

-- The hours of a local day in one zone, narrowed by the regions' own law. a_days: ISO weekdays. NULL: closed.
create or replace function window_holds(a_zone text, a_days int[], a_start time, a_end time,
	a_weekend_start time, a_weekend_end time, a_sunday boolean, at_time timestamptz)
	returns boolean language sql stable as $$
	select case extract(isodow from t.local)::int
			when 7 then a_sunday and t.local::time >= a_weekend_start and t.local::time < a_weekend_end
			when 6 then t.local::time >= a_weekend_start and t.local::time < a_weekend_end
			else t.local::time >= a_start and t.local::time < a_end end
		and extract(isodow from t.local)::int = any (a_days)
	from (select at_time at time zone a_zone as local) t
$$;

-- The first instant from at_time on at which the window holds in all zones at once; NULL: never within 9
-- days.
-- The window of several zones opens when it opens in one of them, so only those instants are tried.
create or replace function window_next(a_zones text[], a_days int[], a_start time, a_end time,
	a_weekend_start time, a_weekend_end time, a_sunday boolean, at_time timestamptz)
	returns timestamptz language sql stable as $$
	select case when not exists (select from unnest(a_zones) z where window_holds(z, a_days, a_start, a_end,
			a_weekend_start, a_weekend_end, a_sunday, at_time) is not true) then at_time
	else (select min(c.at) from (
		select (d::date + s.start) at time zone z as at
		from unnest(a_zones) z,
			generate_series((at_time at time zone z)::date, (at_time at time zone z)::date + 9, interval '1 day') d,
			lateral (values (a_start), (a_weekend_start)) s (start)
	) c
	where c.at >= at_time and not exists (select from unnest(a_zones) z where window_holds(z, a_days, a_start,
		a_end, a_weekend_start, a_weekend_end, a_sunday, c.at) is not true)) end
$$;

-- A number for one of the rules between people's calls: the campaign's, else the client's, else the default.
create or replace function contact_rule(a_campaign jsonb, a_client bigint, a_name text, a_default numeric)
	returns numeric language sql stable as $$
	select coalesce((a_campaign->>a_name)::numeric, (select (value #>> '{}')::numeric from settings
		where client_id = a_client and name = a_name and value is not null), a_default)
$$;

-- Many leads of one client are judged together; what they share is looked at once. Unknown leads give no row.
drop function if exists contactability_of(bigint[], text, bigint, timestamptz) cascade;
create function contactability_of(a_leads bigint[], a_channel text, a_campaign bigint, at_time timestamptz)
	returns table (lead_id bigint, allowed boolean, reason text, permanent boolean, next_at timestamptz)
	language sql stable rows 200 as $$
	with campaign as materialized (
		-- 47 CFR 64.1200(c)(1): 08:00 to 21:00 where the called party is; regions may be stricter. Only an
		-- administrator can set window_wide, which is written down; it puts the campaign's hours in their place.
		select coalesce(bool_or(c.window_wide), false) as wide,
			coalesce(max(c.window_days), '{1,2,3,4,5,6,7}') as days,
			coalesce(max(c.settings::text)::jsonb, '{}') as settings,
			case when bool_or(c.window_wide) then max(c.window_start)
				else greatest(time '08:00', max(c.window_start)) end as opens,
			case when bool_or(c.window_wide) then max(c.window_end)
				else least(time '21:00', max(c.window_end)) end as closes
		from campaigns c where c.id = a_campaign
	), lead as materialized (
		select l.id, l.client_id, l.phone, l.email, l.archived_at, l.number_state, a.country, l.region,
			a.region as code_region, z.zones,
			dense_rank() over (order by a.country, l.region, a.region, z.zones) as place
		from leads l
		left join lateral (select * from area_code_zones o where o.prefix = any (area_prefixes(l.phone))
			order by length(o.prefix) desc limit 1) a on true
		cross join lateral (select case when cardinality(l.zones) > 0 then l.zones else coalesce(a.zones, '{}') end
			as zones) z
		where l.id = any (a_leads)
	), hours as materialized (
		-- What holds for all leads of one place.
		select p.place, c.wide, c.days, p.zones,
			case when c.wide then c.opens else greatest(c.opens, r.opens) end as opens,
			case when c.wide then c.closes else least(c.closes, r.closes) end as closes,
			case when c.wide then c.opens else greatest(c.opens, r.weekend_opens) end as weekend_opens,
			case when c.wide then c.closes else least(c.closes, r.weekend_closes) end as weekend_closes,
			c.wide or r.sunday as sunday,
			c.wide and c.opens = time '00:00' and c.closes = time '24:00' and cardinality(c.days) = 7 as all_day
		from (select distinct on (place) place, country, region, code_region, zones from lead) p
		cross join campaign c
		cross join lateral (select max(window_start) as opens, min(window_end) as closes,
			max(coalesce(weekend_start, window_start)) as weekend_opens,
			min(coalesce(weekend_end, window_end)) as weekend_closes,
			not coalesce(bool_or(no_sunday), false) as sunday
			from regions where country = p.country and code in (p.region, p.code_region)) r
	), places as materialized (
		select h.*, case when h.all_day then at_time when cardinality(h.zones) > 0 then window_next(h.zones, h.days,
			h.opens, h.closes, h.weekend_opens, h.weekend_closes, h.sunday, at_time) end as open_from
		from hours h
	), rules as materialized (
		select k.client_id,
			contact_rule(c.settings, k.client_id, 'min_gap_seconds', 600) * interval '1 second' as gap,
			contact_rule(c.settings, k.client_id, 'per_day', 3)::int as per_day,
			contact_rule(c.settings, k.client_id, 'per_week', 10)::int as per_week
		from (select distinct client_id from lead) k cross join campaign c
	), waits as materialized (
		select l.id, l.archived_at, l.number_state, p.*, w.*,
			(select k.granted from consents k where k.lead_id = l.id and k.channel = a_channel
				and k.purpose = 'marketing' and k.at <= at_time order by k.at desc, k.id desc limit 1) as consent,
			exists (select from suppressions s where s.phone = l.phone and (s.client_id = l.client_id
				or s.client_id is null) and (s.channel is null or s.channel = a_channel))
			or l.email <> '' and exists (select from suppressions s where s.email = lower(l.email)
				and (s.client_id = l.client_id or s.client_id is null)
				and (s.channel is null or s.channel = a_channel)) as suppressed
		from lead l join places p on p.place = l.place join rules f on f.client_id = l.client_id
		cross join lateral (
			-- Rules per person hold over all campaigns: a call that may have rung counts, a refused one does not.
			select max(created_at) filter (where n = 1) + f.gap as gap_until,
				max(created_at) filter (where n = f.per_day) + interval '1 day' as day_until,
				max(created_at) filter (where n = f.per_week) + interval '7 days' as week_until
			from (select c.created_at, row_number() over (order by c.created_at desc) as n
				from enrollments e join calls c on c.enrollment_id = e.id
				where e.lead_id = l.id and e.tries > 0 and c.created_at > at_time - interval '7 days'
					and (c.state <> 'ended' or c.provider_call_id is not null)
				order by c.created_at desc limit greatest(f.per_day, f.per_week, 1)) recent
		) w
	), later as materialized (
		select w.*, greatest(w.gap_until, w.day_until, w.week_until) as rested,
			case when w.all_day or greatest(w.gap_until, w.day_until, w.week_until) <= at_time
				or greatest(w.gap_until, w.day_until, w.week_until) is null then w.open_from
				when cardinality(w.zones) > 0 then window_next(w.zones, w.days, w.opens, w.closes, w.weekend_opens,
					w.weekend_closes, w.sunday, greatest(w.gap_until, w.day_until, w.week_until)) end as opens_at
		from waits w
	), verdict as (
		select w.id, case
			when w.archived_at is not null then 'archived'
			when w.number_state = 'invalid' then 'invalid_number'
			when w.suppressed then 'suppressed'
			when w.consent is null then 'no_consent'
			when not w.consent then 'consent_withdrawn'
			when cardinality(w.zones) = 0 and not w.all_day then 'unknown_zone'
			when w.gap_until > at_time and w.gap_until >= coalesce(greatest(w.day_until, w.week_until), '-infinity')
				then 'called_recently'
			when w.week_until > at_time and w.week_until >= coalesce(w.day_until, '-infinity') then 'weekly_cap'
			when w.day_until > at_time then 'daily_cap'
			when w.opens_at is null then 'no_calls_today_here'
			when w.opens_at > at_time then 'outside_window'
			else 'ok' end as reason,
			greatest(w.opens_at, case when w.all_day then w.rested end) as opens_at
		from later w
	)
	select v.id, v.reason = 'ok', v.reason,
		v.reason in ('archived', 'invalid_number', 'suppressed', 'no_consent', 'consent_withdrawn', 'unknown_zone'),
		case when v.reason in ('called_recently', 'weekly_cap', 'daily_cap', 'outside_window') then v.opens_at
			when v.reason = 'no_calls_today_here' then at_time + interval '1 day' end
	from verdict v
$$;

-- The same for one lead; one that is gone may not be contacted.
drop function if exists contactability(bigint, text, bigint, timestamptz);
create function contactability(a_lead bigint, a_channel text, a_campaign bigint, at_time timestamptz)
	returns table (allowed boolean, reason text, permanent boolean, next_at timestamptz)
	language sql stable rows 1 as $$
	select coalesce(k.allowed, false), coalesce(k.reason, 'archived'), coalesce(k.permanent, true), k.next_at
	from (values (1)) one left join contactability_of(array[a_lead], a_channel, a_campaign, at_time) k on true
$$;
