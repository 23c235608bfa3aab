-- When, and whether, to try again.
set check_function_bodies = off;

-- What a campaign's retry_policy does not say. Seconds; factor multiplies the delay each time.
create or replace function retry_default(a_key text) returns jsonb language sql immutable as $$
	select coalesce('{
		"no_answer":    {"retries": 2, "delay": 3600, "factor": 2},
		"busy":         {"retries": 3, "delay": 600, "factor": 2},
		"voicemail":    {"retries": 1, "delay": 14400, "factor": 2},
		"hangup":       {"retries": 1, "delay": 3600, "factor": 2},
		"failed":       {"retries": 2, "delay": 1800, "factor": 2},
		"transient":    {"retries": 8, "delay": 30, "factor": 2},
		"never_placed": {"retries": 5, "delay": 5, "factor": 3},
		"rate_limited": {"retries": 50, "delay": 10, "factor": 1.5}
	}'::jsonb->a_key, '{"retries": 0}')
$$;

-- The instant of retry number a_n (0: the first), or NULL where the policy has no more. Exponential, at
-- most a
-- day, with jitter of a fifth either way that is the same for the same seed, so that a recount changes
-- nothing.
create or replace function retry_at(a_policy jsonb, a_key text, a_n int, a_seed text, at_time timestamptz)
	returns timestamptz language sql stable as $$
	select case when a_n < coalesce((p->>'retries')::int, 0) then at_time + interval '1 second' * (
		least(86400, coalesce((p->>'delay')::numeric, 60)
			* power(coalesce((p->>'factor')::numeric, 2), least(a_n, 20)))
		* (0.8 + 0.4 * (abs(hashtext(a_seed)::bigint) % 1000) / 1000.0)) end
	from (select retry_default(a_key) || coalesce(a_policy->a_key, '{}') as p) x
$$;
