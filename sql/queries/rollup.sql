-- Counting the days that are over.

-- name: rollup_days
select day::text as day from rollup_days($1, $2, $3) order by day;

-- name: rollup_day
select rollup_day($1::date, $2) as n;
