set check_function_bodies = off;

-- Changes role and state of an account and ends its sessions. There is always an active admin: the rows of
-- all admins are locked, so that two cannot take each other's rights at the same moment.
drop function if exists user_change(bigint, bigint, text, text, boolean);
create function user_change(a_client bigint, a_user bigint, a_name text, a_role text, a_active boolean)
returns bigint language plpgsql as $$
declare
	others integer;
	found_id bigint;
begin
	perform 1 from users where client_id = a_client and role = 'admin' and active order by id for update;
	select count(*) into others
	from users
	where client_id = a_client and role = 'admin' and active and id <> a_user;
	if others = 0 and (a_role <> 'admin' or not a_active) then
		if exists (select 1 from users where client_id = a_client and id = a_user and role = 'admin' and active)
		then
			raise exception 'This is the last admin. Make somebody else an admin first.'
				using errcode = 'TL409', hint = 'last_admin';
		end if;
	end if;
	update users u
	set name = a_name, role = a_role, active = a_active,
		token_epoch = token_epoch + (u.role <> a_role or u.active <> a_active)::integer
	where u.client_id = a_client and u.id = a_user
	returning u.id into found_id;
	if found_id is null then
		raise exception 'There is no such user.' using errcode = 'TL404';
	end if;
	return found_id;
end $$;
