#!/usr/bin/env bash
# Makes anew what is generated here: the man page, the schema of configuration files, and the table of their keys in config.md.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
tsgre() { node ../dist/cli/main.js "$@"; }
tsgre man >tsgre.8
tsgre config schema >config.schema.json
sed -i '/^## Keys$/q' config.md
{ echo; tsgre config keys; } >>config.md
