# Turns sql/queries/*.sql into C: each block under "-- name: x" becomes q_x. -v mode=h prints the header.
function flush_query() {
	if (name == "") return
	if (seen[name]++) { printf "%s: %s is named twice\n", file, name > "/dev/stderr"; failed = 1 }
	sub(/[ \t\n;]+$/, "", text)
	most = 0; rest = text
	while (match(rest, /\$[0-9]+/)) {
		k = substr(rest, RSTART + 1, RLENGTH - 1) + 0
		if (k > most) most = k
		rest = substr(rest, RSTART + RLENGTH)
	}
	if (mode == "h") printf "extern const struct db_query q_%s;\n", name
	else {
		gsub(/\\/, "\\\\", text); gsub(/"/, "\\\"", text); gsub(/\n/, "\\n\"\n    \"", text)
		printf "const struct db_query q_%s = {\"%s\",\n    \"%s\",\n    %d, %d};\n", name, name, text, most, count
	}
	count++; name = ""; text = ""
}
BEGIN {
	if (mode == "h") print "/* generated from sql/queries */\n#include \"store/db.h\""
	else print "/* generated from sql/queries */\n#include \"queries.h\""
}
FNR == 1 { flush_query(); file = FILENAME }
/^-- name: / { flush_query(); name = $3; next }
/^[ \t]*--/ { next }
name != "" { text = text $0 "\n" }
END {
	flush_query()
	if (mode == "h") printf "#define DB_QUERY_COUNT %d\n", count + 0
	exit failed
}
