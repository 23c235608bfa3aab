-- Prompts and their versions.
set check_function_bodies = off;

-- Saves a prompt; a changed text is a new version, an unchanged one is none. A name that was archived comes
-- back with its history. Returns the current version's number.
create or replace function prompt_save(a_client bigint, a_name text, a_body text, a_first text,
	a_voicemail text,
	a_defaults jsonb, a_note text, a_user bigint, at_time timestamptz) returns integer language plpgsql as $$
declare
	p prompts;
	v prompt_versions;
begin
	insert into prompts (client_id, name, current_version, created_at) values (a_client, a_name, 0, at_time)
	on conflict (client_id, name) do update set archived_at = null returning * into p;
	select * into v from prompt_versions where prompt_id = p.id and version = p.current_version;
	if found and v.body = a_body and v.first_sentence = a_first and v.voicemail_message = a_voicemail
			and v.defaults = coalesce(a_defaults, v.defaults) then
		return v.version;
	end if;
	insert into prompt_versions (prompt_id, version, body, first_sentence, voicemail_message, defaults, note,
		created_by, created_at)
	values (p.id, coalesce((select max(version) from prompt_versions where prompt_id = p.id), 0) + 1, a_body,
		a_first,
		a_voicemail, coalesce(a_defaults, v.defaults, '{}'), a_note, a_user, at_time) returning * into v;
	update prompts set current_version = v.version where id = p.id;
	return v.version;
end
$$;
