-- May this lead be contacted now on this channel, why not, when next? The one place that decides it: used by
-- the claim, by every send and by the pages that explain it. Fails closed.
set check_function_bodies = off;

-- What a row of area_code_zones for this number in E.164 can be called: those there are have up to eight
-- digits.
create or replace function area_prefixes(a_phone text) returns text[] language sql immutable as $$
	select array[substr(a_phone, 2, 8), substr(a_phone, 2, 7), substr(a_phone, 2, 6), substr(a_phone, 2, 5),
		substr(a_phone, 2, 4), substr(a_phone, 2, 3), substr(a_phone, 2, 2), substr(a_phone, 2, 1)]
$$;

-- The area code's row: country, region and zones of a number in E.164; the longest known prefix wins, which
-- of the prefixes of one number is the last in order.
create or replace function area_of(a_phone text) returns area_code_zones language sql stable as $$
	select a from area_code_zones a where prefix = any (area_prefixes(a_phone)) order by prefix desc limit 1
$$;

-- The hours of a local day in one zone, narrowed by the regions' own law. a_days: ISO weekdays.
create or replace function window_holds(a_zone text, a_days int[], a_start time, a_end time,
	a_weekend_start time, a_weekend_end time, a_sunday boolean, at_time timestamptz)
	returns boolean language plpgsql stable as $$
declare
	local timestamp := at_time at time zone a_zone;
	day int := extract(isodow from local);
	hour time := local::time;
begin
	return day = any (a_days) and case when day < 6 then hour >= a_start and hour < a_end
		else (day = 6 or a_sunday) and hour >= a_weekend_start and hour < a_weekend_end end;
end
$$;

-- The first instant from at_time on at which the window holds in all zones at once; NULL: never within 9
-- days.
-- The window of several zones opens when it opens in one of them, so only those instants are tried.
create or replace function window_next(a_zones text[], a_days int[], a_start time, a_end time,
	a_weekend_start time, a_weekend_end time, a_sunday boolean, at_time timestamptz)
	returns timestamptz language plpgsql stable as $$
declare
	zone text;
	holds boolean := true;
begin
	foreach zone in array a_zones loop
		holds := holds and coalesce(window_holds(zone, a_days, a_start, a_end, a_weekend_start, a_weekend_end,
			a_sunday, at_time), false);
	end loop;
	return case when holds then at_time else (select min(c.at) from (
		select (d::date + s.start) at time zone z as at
		from unnest(a_zones) z,
			generate_series((at_time at time zone z)::date, (at_time at time zone z)::date + 9, interval '1 day') d,
			lateral (values (a_start), (a_weekend_start)) s (start)
	) c
	where c.at >= at_time and not exists (select from unnest(a_zones) z where window_holds(z, a_days, a_start,
		a_end, a_weekend_start, a_weekend_end, a_sunday, c.at) is not true)) end;
end
$$;

-- A number for one of the rules between people's calls: the campaign's, else the client's, else the default.
create or replace function contact_rule(a_campaign jsonb, a_client bigint, a_name text, a_default numeric)
	returns numeric language sql stable as $$
	select coalesce((a_campaign->>a_name)::numeric, (select (value #>> '{}')::numeric from settings
		where client_id = a_client and name = a_name and value is not null), a_default)
$$;

-- Many leads of one client are judged together; what they share is looked at once, and each table is asked
-- once for all of them. Unknown leads give no row. In PL/pgSQL, because its plan is kept; and made without
-- scans, since it may be older than the tables are large.
drop function if exists contactability_of(bigint[], text, bigint, timestamptz) cascade;
create function contactability_of(a_leads bigint[], a_channel text, a_campaign bigint, at_time timestamptz)
	returns table (lead_id bigint, allowed boolean, reason text, permanent boolean, next_at timestamptz)
	language plpgsql stable rows 200
	set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_mergejoin = off as $$
#variable_conflict use_column
declare
	g campaigns;
	wide boolean; -- the campaign's hours stand in the place of the law's: an administrator's word
	always boolean; -- they are all hours of all days
	a_client bigint := (select client_id from leads where id = any (a_leads) limit 1);
	day_opens time;
	day_closes time;
	days int[];
	gap interval;
	per_day int;
	per_week int;
begin
	select * into g from campaigns where id = a_campaign;
	wide := coalesce(g.window_wide, false);
	-- 47 CFR 64.1200(c)(1): 08:00 to 21:00 where the called party is; regions may be stricter. Only an
	-- administrator can set window_wide, which is written down; it puts the campaign's hours in their place.
	day_opens := case when wide then g.window_start else greatest(time '08:00', g.window_start) end;
	day_closes := case when wide then g.window_end else least(time '21:00', g.window_end) end;
	days := coalesce(g.window_days, '{1,2,3,4,5,6,7}');
	always := wide and day_opens = time '00:00' and day_closes = time '24:00' and cardinality(days) = 7;
	gap := contact_rule(g.settings, a_client, 'min_gap_seconds', 600) * interval '1 second';
	per_day := contact_rule(g.settings, a_client, 'per_day', 3);
	per_week := contact_rule(g.settings, a_client, 'per_week', 10);
	return query
	with lead as materialized (
		select l.id, l.phone, substr(l.phone, 2, 8) as digits, case when l.email <> '' then lower(l.email) end
			as email, l.archived_at, l.number_state, l.region, l.zones
		from leads l where l.id = any (a_leads)
	), area as materialized (
		select d.digits, a.country, a.region, coalesce(a.zones, '{}') as zones
		from (select distinct digits from lead) d
		left join lateral (select * from area_code_zones o where o.prefix = any (area_prefixes('+' || d.digits))
			order by o.prefix desc limit 1) a on true
	), placed as materialized (
		select l.id, l.phone, l.email, l.archived_at, l.number_state, a.country, l.region, a.region as code_region,
			z.zones, concat_ws('|', a.country, coalesce(l.region, '-'), a.region, z.zones) as place
		from lead l join area a on a.digits = l.digits
		cross join lateral (select case when cardinality(l.zones) > 0 then l.zones else a.zones end as zones) z
	), hours as materialized (
		-- What holds for all leads of one place.
		select p.place, p.zones,
			case when wide then day_opens else greatest(day_opens, r.opens) end as opens,
			case when wide then day_closes else least(day_closes, r.closes) end as closes,
			case when wide then day_opens else greatest(day_opens, r.weekend_opens) end as weekend_opens,
			case when wide then day_closes else least(day_closes, r.weekend_closes) end as weekend_closes,
			wide or r.sunday as sunday
		from (select distinct on (place) place, country, region, code_region, zones from placed) p
		cross join lateral (select max(window_start) as opens, min(window_end) as closes,
			max(coalesce(weekend_start, window_start)) as weekend_opens,
			min(coalesce(weekend_end, window_end)) as weekend_closes,
			not coalesce(bool_or(no_sunday), false) as sunday
			from regions where country = p.country and code in (p.region, p.code_region)) r
	), places as materialized (
		select h.*, case when always then at_time when cardinality(h.zones) > 0 then window_next(h.zones, days,
			h.opens, h.closes, h.weekend_opens, h.weekend_closes, h.sunday, at_time) end as open_from
		from hours h
	), said as materialized (
		select distinct on (k.lead_id) k.lead_id, k.granted from consents k
		where k.lead_id = any (a_leads) and k.channel = a_channel and k.purpose = 'marketing' and k.at <= at_time
		order by k.lead_id, k.at desc, k.id desc
	), never as materialized (
		select distinct s.phone, s.email from suppressions s
		where (s.phone = any (array(select l.phone from lead l))
				or s.email = any (array(select l.email from lead l where l.email is not null)))
			and (s.client_id = a_client or s.client_id is null) and (s.channel is null or s.channel = a_channel)
	), recent as materialized (
		-- Rules per person hold over all campaigns: a call that may have rung counts, a refused one does not.
		select r.lead_id, r.at[1] + gap as gap_until, r.at[per_day] + interval '1 day' as day_until,
			r.at[per_week] + interval '7 days' as week_until
		from (select e.lead_id, array_agg(k.created_at order by k.created_at desc) as at
			-- Each enrollment's own calls, by a fence: else all calls of a week are looked through where the plan is
			-- older than they are.
			from enrollments e cross join lateral (select c.created_at, c.state, c.provider_call_id from calls c
				where c.enrollment_id = e.id offset 0) k
			where e.lead_id = any (a_leads) and e.tries > 0 and k.created_at > at_time - interval '7 days'
				and (k.state <> 'ended' or k.provider_call_id is not null)
			group by e.lead_id) r
	), later as materialized (
		select l.id, l.archived_at, l.number_state, p.zones, s.granted as consent,
			l.phone in (select phone from never) or l.email in (select email from never) as suppressed,
			w.gap_until, w.day_until, w.week_until, w.rested,
			case when always or w.rested <= at_time or w.rested is null then p.open_from
				when cardinality(p.zones) > 0 then window_next(p.zones, days, p.opens, p.closes, p.weekend_opens,
					p.weekend_closes, p.sunday, w.rested) end as opens_at
		from placed l join places p on p.place = l.place left join said s on s.lead_id = l.id
		left join (select r.*, greatest(r.gap_until, r.day_until, r.week_until) as rested from recent r) w
			on w.lead_id = l.id
	), verdict as (
		select w.id, case
			when w.archived_at is not null then 'archived'
			when w.number_state = 'invalid' then 'invalid_number'
			when w.suppressed then 'suppressed'
			when w.consent is null then 'no_consent'
			when not w.consent then 'consent_withdrawn'
			when cardinality(w.zones) = 0 and not always then 'unknown_zone'
			when w.gap_until > at_time and w.gap_until >= coalesce(greatest(w.day_until, w.week_until), '-infinity')
				then 'called_recently'
			when w.week_until > at_time and w.week_until >= coalesce(w.day_until, '-infinity') then 'weekly_cap'
			when w.day_until > at_time then 'daily_cap'
			when w.opens_at is null then 'no_calls_today_here'
			when w.opens_at > at_time then 'outside_window'
			else 'ok' end as reason,
			greatest(w.opens_at, case when always then w.rested end) as opens_at
		from later w
	)
	select v.id, v.reason = 'ok', v.reason,
		v.reason in ('archived', 'invalid_number', 'suppressed', 'no_consent', 'consent_withdrawn', 'unknown_zone'),
		case when v.reason in ('called_recently', 'weekly_cap', 'daily_cap', 'outside_window') then v.opens_at
			when v.reason = 'no_calls_today_here' then at_time + interval '1 day' end
	from verdict v;
end
$$;

-- The same for one lead; one that is gone may not be contacted.
drop function if exists contactability(bigint, text, bigint, timestamptz);
create function contactability(a_lead bigint, a_channel text, a_campaign bigint, at_time timestamptz)
	returns table (allowed boolean, reason text, permanent boolean, next_at timestamptz)
	language sql stable rows 1 as $$
	select coalesce(k.allowed, false), coalesce(k.reason, 'archived'), coalesce(k.permanent, true), k.next_at
	from (values (1)) one left join contactability_of(array[a_lead], a_channel, a_campaign, at_time) k on true
$$;
