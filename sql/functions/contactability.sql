-- May this lead be contacted now on this channel, why not, when next? The one place that decides it: used by
-- the claim, by every send and by the pages that explain it. Fails closed.
set check_function_bodies = off;

-- The area code's row: country, region and zones of a number in E.164; the longest known prefix wins.
create or replace function area_of(a_phone text) returns area_code_zones language sql stable as $$
	select a from area_code_zones a
	where prefix in (select left(substr(a_phone, 2), n) from generate_series(1, 10) n)
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

drop function if exists contactability(bigint, text, bigint, timestamptz);
create function contactability(a_lead bigint, a_channel text, a_campaign bigint, at_time timestamptz)
	returns table (allowed boolean, reason text, permanent boolean, next_at timestamptz)
	language sql stable rows 1 as $$
	with lead as materialized (
		select l.id, l.client_id, l.phone, l.email, l.archived_at, l.number_state, a.country, l.region,
			a.region as code_region,
			case when cardinality(l.zones) > 0 then l.zones else coalesce(a.zones, '{}') end as zones
		from leads l left join lateral area_of(l.phone) a on true where l.id = a_lead
	), hours as (
		-- 47 CFR 64.1200(c)(1): 08:00 to 21:00 where the called party is; regions may be stricter. Only an
		-- administrator can set window_wide, which is written down; it puts the campaign's hours in their place.
		select coalesce(bool_or(c.window_wide), false) as wide,
			coalesce(max(c.window_days), '{1,2,3,4,5,6,7}') as days,
			coalesce(max(c.settings::text)::jsonb, '{}') as settings,
			case when bool_or(c.window_wide) then max(c.window_start)
				else greatest(time '08:00', max(c.window_start), max(r.window_start)) end as opens,
			case when bool_or(c.window_wide) then max(c.window_end)
				else least(time '21:00', max(c.window_end), min(r.window_end)) end as closes,
			case when bool_or(c.window_wide) then max(c.window_start)
				else greatest(time '08:00', max(c.window_start), max(coalesce(r.weekend_start, r.window_start)))
				end as weekend_opens,
			case when bool_or(c.window_wide) then max(c.window_end)
				else least(time '21:00', max(c.window_end), min(coalesce(r.weekend_end, r.window_end)))
				end as weekend_closes,
			coalesce(bool_or(c.window_wide), false) or not coalesce(bool_or(r.no_sunday), false) as sunday
		from lead l
		left join campaigns c on c.id = a_campaign
		left join regions r on r.country = l.country and r.code in (l.region, l.code_region)
	), facts as materialized (
		select l.*, h.*,
			(select k.granted from consents k where k.lead_id = l.id and k.channel = a_channel
				and k.purpose = 'marketing' and k.at <= at_time order by k.at desc, k.id desc limit 1) as consent,
			exists (select from suppressions s where (s.client_id = l.client_id or s.client_id is null)
				and (s.channel is null or s.channel = a_channel)
				and (s.phone = l.phone or (l.email <> '' and s.email = lower(l.email)))) as suppressed,
			h.wide and h.opens = time '00:00' and h.closes = time '24:00' and cardinality(h.days) = 7 as all_day,
			contact_rule(h.settings, l.client_id, 'min_gap_seconds', 600) * interval '1 second' as gap,
			contact_rule(h.settings, l.client_id, 'per_day', 3)::int as per_day,
			contact_rule(h.settings, l.client_id, 'per_week', 10)::int as per_week
		from lead l, hours h
	), waits as materialized (
		-- Rules per person hold over all campaigns: a call that may have rung counts, a refused one does not.
		select f.*, w.*,
			case when f.all_day then at_time
				when cardinality(f.zones) = 0 then null
				else window_next(f.zones, f.days, f.opens, f.closes, f.weekend_opens, f.weekend_closes, f.sunday,
					greatest(at_time, w.gap_until, w.day_until, w.week_until)) end as opens_at
		from facts f, lateral (
			select max(created_at) filter (where n = 1) + f.gap as gap_until,
				max(created_at) filter (where n = f.per_day) + interval '1 day' as day_until,
				max(created_at) filter (where n = f.per_week) + interval '7 days' as week_until
			from (select c.created_at, row_number() over (order by c.created_at desc) as n from calls c
				where c.client_id = f.client_id and c.phone = f.phone and c.created_at > at_time - interval '7 days'
					and (c.state <> 'ended' or c.provider_call_id is not null)
				order by c.created_at desc limit greatest(f.per_day, f.per_week, 1)) recent
		) w
	), verdict as (
		select case
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
			greatest(w.opens_at, case when w.all_day then greatest(w.gap_until, w.day_until, w.week_until) end)
				as opens_at
		from waits w
	)
	select v.reason = 'ok', v.reason,
		v.reason in ('archived', 'invalid_number', 'suppressed', 'no_consent', 'consent_withdrawn', 'unknown_zone'),
		case when v.reason in ('called_recently', 'weekly_cap', 'daily_cap', 'outside_window') then v.opens_at
			when v.reason = 'no_calls_today_here' then at_time + interval '1 day' end
	from (select * from verdict union all select 'archived', null where not exists (select from verdict)) v
$$;
