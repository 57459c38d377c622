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
server=
stop() { [ -z "$server" ] || { kill "$server" 2>/dev/null; wait "$server" || true; server=; }; }
trap 'stop; cd /; rm -rf "$work"' EXIT

# serve starts the demo, or what else is said, with what fraiseql.toml says; its address is in $url then.
serve() {
  stop
  "$root/fraiseql" serve "${@:---demo}" --listen "127.0.0.1:${port:-0}" >out 2>err &
  server=$!
  for _ in $(seq 600); do
    url=$(grep -o 'http://[^ ]*/graphql' out | head -1) && [ -n "$url" ] && return
    kill -0 "$server" || { cat err; exit 1; }
    sleep 0.1
  done
  cat err
  exit 1
}

serve
node "$here/audit.mjs" "$url"
node "$here/introspect.mjs" "$url"
node "$here/browser.mjs" "$url" "${SCREENSHOT:-}"

printf '[graphql.persisted]\n\n[graphql.limits]\nbatch = 10\n' >fraiseql.toml
serve
node "$here/apollo.mjs" "$url"
node "$here/urql.mjs" "$url"

printf '[graphql.subscriptions]\nentities = ["Product"]\n' >fraiseql.toml
serve
node "$here/browser-subscriptions.mjs" "$url"
node "$here/subscriptions.mjs" "$url" "$work/subscribed" &
client=$!
until [ -e subscribed ]; do kill -0 "$client" || exit 1; sleep 0.1; done
port=${url#http://127.0.0.1:}
port=${port%%/*}
serve
touch subscribed-again
wait "$client"
port=

cp "$here/relay/fraiseql.toml" fraiseql.toml
serve
"$root/fraiseql" schema print >schema.graphql
node "$here/relay-shape.mjs" "$url"
node "$here/relay.mjs" "$url" "$work/schema.graphql" "$work/relay"

mkdir upload
cd upload
cp -r "$here/upload/." .
serve --dev
node "$here/apollo-upload.mjs" "$url"
