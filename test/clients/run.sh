#!/usr/bin/env bash
# Starts the demo and runs the public clients against it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
command -v node >/dev/null || { echo "install Node.js 20 or newer"; exit 1; }
(cd "$here" && npm ci --no-audit --no-fund --loglevel=error)
corpus=$(cd "$root" && go list -m -f '{{.Dir}}' github.com/vektah/gqlparser/v2)
node "$here/corpus.mjs" "$corpus" "$root/testdata/validation/corpus.json"
work=$(mktemp -d)
chmod 755 "$work"
cd "$work"
"$root/fraiseql" serve --demo --listen 127.0.0.1:0 >out 2>err &
server=$!
trap 'kill "$server" 2>/dev/null; wait "$server" || true; cd /; rm -rf "$work"' EXIT
for _ in $(seq 600); do
  url=$(grep -o 'http://[^ ]*/graphql' out | head -1) && [ -n "$url" ] && break
  kill -0 "$server" || { cat err; exit 1; }
  sleep 0.1
done
node "$here/audit.mjs" "$url"
node "$here/introspect.mjs" "$url"
node "$here/browser.mjs" "$url" "${SCREENSHOT:-}"
