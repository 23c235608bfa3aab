#!/bin/bash
# shellcheck disable=SC2317,SC2016 # the checks are called by name; $0 is awk's
# make lint: everything that can be known without running the product. Prints one line a check.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
BUILD=${BUILD:-$PWD/build/lint}
failed=0
check() { # NAME COMMAND…
	local name=$1 out
	shift
	if out=$("$@" 2>&1); then echo "ok    $name"; else
		echo "FAIL  $name"
		printf '%s\n' "$out" | head -60 | sed 's/^/      /'
		failed=1
	fi
}
own_c() { git ls-files 'fcgi/*.c' 'fcgi/*.h' 'tests/unit/*.c' 'tests/fuzz/*.c'; }

# Who may include whom (fcgi/README.md). Left: folder; right: what it may include besides its own.
include_directions() {
	local bad=0 folder allowed file included
	while read -r folder allowed; do
		while IFS=: read -r file included; do
			[[ " $folder $allowed " == *" $included "* ]] || { echo "$file includes $included/"; bad=1; }
		done < <(grep -ohHE '^#include "[a-z]+/' -r "fcgi/$folder" | sed -E 's/#include "([a-z]+)\//\1/')
	done <<-'TABLE'
		base
		store base
		http base
		net base
		rules base
		providers base rules
		engine base store providers rules net
		hooks base store providers rules http net
		pages base store providers rules http net engine
		sandbox base
	TABLE
	for pair in libpq-fe.h:store fcgiapp.h:http curl/curl.h:net jansson.h:base jwt.h:base openssl/:base \
		microhttpd.h:sandbox; do
		while read -r file; do
			[[ $file == fcgi/${pair#*:}/* || $file == fcgi/sandbox* ]] || { echo "$file includes ${pair%:*}"; bad=1; }
		done < <(grep -rl "#include <${pair%:*}" fcgi)
	done
	return "$bad"
}
# Not in data, nginx's own long values, and prompts, where a line end would be spoken.
line_length() {
	! git ls-files |
		grep -vE '\.(svg|png|csv|json|xlsx)$|^(tests/(fuzz/(seeds|crashes)|unit/files)|nginx|templates/prompts)/' |
		LC_ALL=C.UTF-8 xargs gawk 'length($0) > 110 { print FILENAME ":" FNR ": " length($0); n++ } END { exit !n }'
}
file_length() { # long ones say why in their first comment: "a table" or "a straight story"
	local bad=0 file lines
	while read -r file; do
		lines=$(wc -l < "$file")
		if [ "$lines" -gt 500 ]; then echo "$file: $lines lines"; bad=1; fi
	done < <(git ls-files 'fcgi/*.c' 'fcgi/*.h')
	return "$bad"
}
forbidden_words() {
	! git grep -nE '(^|[^a-z_])(strcpy|strcat|sprintf|gets|strtok|alloca) ?\(' -- 'fcgi/*.c' 'fcgi/*.h' |
		grep .
}
loose_sql() { # statements live in sql/
	! git grep -nE '"(select|insert|update|delete) ' -- 'fcgi/*.c' ':!fcgi/sandbox*' ':!fcgi/store/db.c' | grep .
}
inline_style() {
	! git grep -nE ' style=|<script>|onclick=|javascript:' -- templates | grep .
}
nginx_config() {
	local dir file code=0
	dir=$(mktemp -d)
	mkdir "$dir/run" "$dir/log" "$dir/nginx"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=localhost \
		-keyout "$dir/key.pem" -out "$dir/cert.pem" 2>/dev/null
	for file in nginx/*.conf; do
		sed -e "s|@RUN@|$dir/run|g; s|@LOG@|$dir/log|g; s|@DATA@|$dir|g; s|@STATIC@|$PWD/static|g" \
			-e "s|@ACCESS_LOG@|$dir/log/access.log|g" \
			-e "s|@SNIPPETS@|$dir/nginx|g; s|@HTTP_PORT@|18080|g; s|@HTTPS_PORT@|18443|g; s|@ACME@|$dir|g" \
			-e "s|@HTTPS_SUFFIX@|:18443|g; s|@SERVER_NAME@|_|g; s|@CERT@|$dir/cert.pem|g; s|@KEY@|$dir/key.pem|g" \
			"$file" > "$dir/nginx/${file##*/}"
	done
	/usr/sbin/nginx -t -p "$dir" -e "$dir/log/nginx.log" -c "$dir/nginx/run.conf" || code=1
	rm -rf "$dir"
	return "$code"
}
statements() { BUILD=$BUILD /usr/bin/python3 tests/explain.py; }
tidy() {
	local checks='-*,bugprone-*,-bugprone-easily-swappable-parameters,-bugprone-reserved-identifier'
	checks+=',cert-*,-cert-dcl37-c,-cert-dcl51-cpp,-cert-err33-c,clang-analyzer-*'
	# Strings here carry their length, so what is copied is rightly not terminated.
	checks+=',-bugprone-not-null-terminated-result'
	# Products of small constants, such as buffer sizes; arrays of pointers, whose sizeof is meant; char
	# arithmetic on ASCII; branches that are equal today but not by nature; padding of tables of ten rows.
	checks+=',-bugprone-implicit-widening-of-multiplication-result,-bugprone-sizeof-expression'
	checks+=',-bugprone-narrowing-conversions,-bugprone-branch-clone,-clang-analyzer-optin.performance.Padding'
	# fixed-size libc calls are judged by forbidden_words; valist is wrong about va_copy in our printf-likes
	checks+=',-clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling'
	checks+=',-clang-analyzer-valist.Uninitialized'
	export BUILD checks
	own_c | grep '\.c$' | grep -v tests/ | xargs -P "$(nproc)" -n 8 bash -c \
		'clang-tidy --quiet --warnings-as-errors="*" --checks="$checks" "$@" -- -std=gnu11 -D_GNU_SOURCE \
			-Ifcgi -I"$BUILD/gen" -I/usr/include/libxml2 -I/usr/include/postgresql 2>/dev/null' tidy
}

make -s BUILD="$BUILD" "$BUILD/gen/queries.h" || exit 1
check "include directions" include_directions
check "lines of at most 110 columns" line_length
check "files of at most 500 lines" file_length
check "no unsafe string functions" forbidden_words
check "SQL only in sql/" loose_sql
check "no inline style or script in templates" inline_style
check "clang-format" bash -c \
	'git ls-files "fcgi/*.c" "fcgi/*.h" "tests/unit/*.c" | xargs clang-format --dry-run -Werror'
check "shellcheck" bash -c 'git ls-files "*.sh" .ci/run | xargs shellcheck'
check "cppcheck" cppcheck -q --enable=warning,portability --inline-suppr --error-exitcode=1 --std=c11 -Ifcgi \
	-I"$BUILD/gen" --suppress=missingIncludeSystem --suppress=internalAstError --suppress=autoVariables \
	'--suppress=preprocessorErrorDirective:fcgi/base/log.h' \
	'-Djson_object_foreach(o,k,v)=for (;;)' -j"$(nproc)" fcgi
[ -n "${QUICK:-}" ] || check "clang-tidy" tidy
check "nginx -t" nginx_config
check "every statement against the schema" statements
exit $failed
