-- Where may this person be? Every IANA zone that the facts leave open: a stated zone alone, else those that a
-- stated region and the area code have in common, else those of either; {} where nothing is known. Calls are
-- made only when the hours hold in all of them.
set check_function_bodies = off;

create or replace function zones_of(a_phone text, a_region text, a_time_zone text) returns text[]
	language sql stable as $$
	with code as (select (area_of(a_phone)).*), region as (
		select r.zones from regions r, code where r.country = code.country and r.code = upper(a_region)
	)
	select case
		when a_time_zone <> '' and exists (select from zone_names n where n.name = a_time_zone)
			then array[a_time_zone]
		when (select zones from region) && (select zones from code) then
			array(select z from unnest((select zones from region)) z where array[z] <@ (select zones from code))
		-- They disagree: people keep numbers when they move, so both are possible.
		when (select zones from region) is not null and (select zones from code) is not null then
			array(select unnest((select zones from region)) union select unnest((select zones from code)))
		else coalesce((select zones from region), (select zones from code), '{}') end
$$;
