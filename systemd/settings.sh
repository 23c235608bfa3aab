# shellcheck shell=bash
# settings_read FILE: exports the settings of a file of NAME=value lines, as systemd reads an EnvironmentFile.
# What the environment has already wins.
settings_read() {
	local line name value
	while IFS= read -r line || [ -n "$line" ]; do
		line=${line%$'\r'}
		[[ $line =~ ^[[:space:]]*(export[[:space:]]+)?([A-Z][A-Z0-9_]*)=(.*)$ ]] || continue
		name=${BASH_REMATCH[2]} value=${BASH_REMATCH[3]}
		if [[ $value =~ ^\"(.*)\"$ || $value =~ ^\'(.*)\'$ ]]; then value=${BASH_REMATCH[1]}; fi
		[ -n "${!name:-}" ] || export "$name=$value"
	done < "$1"
}
