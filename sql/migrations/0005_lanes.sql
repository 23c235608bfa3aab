-- A large file is merged in two lanes at the same time (functions/import.sql).
alter table imports
	-- The last line that each lane has dealt with; line_done is the lesser of them.
	add column lane_lines bigint[] not null default '{0,0}';
