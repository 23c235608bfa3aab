#!/bin/bash
# trunkline: the admin command as a server has it, with the services' settings and, where root calls it, as
# their user. Installed as $(PREFIX)/bin/trunkline; the program itself is beside the other programs.
set -euo pipefail
lib=/usr/lib/trunkline
env=${TRUNKLINE_ENV:-/etc/trunkline/trunkline.env}
case "${1:-}" in
# These change the system itself.
setup | reload) exec "$lib/$1.sh" "${@:2}" ;;
esac
if [ -r "$env" ]; then
	# shellcheck source=/dev/null
	. "$lib/settings.sh"
	etc=$(dirname "$env")
	settings_read "$env"
	if [ -r "$etc/site.env" ]; then settings_read "$etc/site.env"; fi
	: "${CREDENTIALS_DIRECTORY:=$etc/keys}"
	export CREDENTIALS_DIRECTORY
fi
case "${1:-}" in
# For root they go on as PostgreSQL's own user (store/database.h), since they may do more than a service.
database | migrate | backup | restore) exec "$lib/trunkline" "$@" ;;
esac
if [ "$(id -u)" = 0 ] && [ -z "${TRUNKLINE_ENV:-}" ] && id trunkline > /dev/null 2>&1; then
	# A folder that the user may not enter would be reported by every program that looks where it is.
	[ "${1:-}" = import ] || cd /
	exec setpriv --reuid=trunkline --regid=trunkline --init-groups --inh-caps=-all \
		env HOME=/var/lib/trunkline "$lib/trunkline" "$@"
fi
exec "$lib/trunkline" "$@"
