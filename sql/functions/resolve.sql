-- A person's word on a call of which nobody knows whether the provider took it.
set check_function_bodies = off;

-- a_placed: it was; the attempt counts, its outcome stays unknown, nobody is called again for it. Else it
-- never reached the provider, and the lead is tried again as the policy says. False where the call is no
-- longer ambiguous.
create or replace function resolve_call(a_call uuid, a_placed boolean, a_user bigint, at_time timestamptz)
	returns boolean language plpgsql as $$
declare
	call calls;
begin
	select * into call from calls where id = a_call for update;
	if not found or call.state <> 'ambiguous' then
		return false;
	end if;
	insert into decisions (enrollment_id, at, kind, reason, user_id)
	values (call.enrollment_id, at_time, 'resolved',
		case when a_placed then 'was placed' else 'never_placed' end, a_user);
	if a_placed then
		update calls set state = 'ended', outcome = 'unknown', reason = 'lost', ended_at = at_time,
			lease_token = null, lease_until = null, deadline_at = null where id = a_call returning * into call;
		perform conclude(call, '', true, interval '0', at_time);
	else
		perform call_refused(call, 'never_placed', 'A person said that it was never placed.', 'never_placed',
			interval '0', at_time);
	end if;
	update alerts set resolved_at = at_time, resolved_by = a_user
	where resolved_at is null and client_id = call.client_id and subject = 'call ' || a_call;
	return true;
end
$$;
