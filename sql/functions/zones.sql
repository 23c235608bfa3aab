-- Where may this person be? Every IANA zone that the facts leave open: a stated zone alone, else those that a
-- stated region and the area code have in common, else those of either; {} where nothing is known. Calls are
-- made only when the hours hold in all of them.
set check_function_bodies = off;

-- A zone as people state it, in any case; NULL where it names no place. "EST" and the like are no places:
-- they have no summer time, so that for half of the year every hour would be wrong by one.
create or replace function zone_named(a_name text) returns text language sql stable as $$
	select name from zone_names where lower(name) = lower(btrim(a_name)) and name ~ '^[A-Z][A-Za-z]+/'
		and name !~ '^Etc/'
$$;

create or replace function zones_meet(a_code text[], a_region text[], a_zone text) returns text[]
	language sql immutable as $$
	select case
		when a_zone is not null then array[a_zone]
		when a_region && a_code then array(select z from unnest(a_region) z where z = any (a_code))
		-- They disagree: people keep numbers when they move, so both are possible.
		when a_region is not null and a_code is not null then
			array(select unnest(a_region) union select unnest(a_code))
		else coalesce(a_region, a_code, '{}') end
$$;

create or replace function zones_of(a_phone text, a_region text, a_time_zone text) returns text[]
	language sql stable as $$
	select zones_meet(c.zones, r.zones, zone_named(a_time_zone))
	from (select (area_of(a_phone)).*) c left join regions r on r.country = c.country
		and r.code = upper(a_region)
$$;
