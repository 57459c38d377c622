# shellcheck shell=bash
# The servers that are measured. Each is a child of the run; .bench/servers/NAME holds its process and its address.

rm -rf "$work/servers"
mkdir -p "$work/servers" "$work/bin"

started() { # NAME PID URL CURL-ARGUMENTS: waits until the server answers what the arguments ask for
  local name=$1 pid=$2 url=$3
  shift 3
  echo "$pid $url" >"$work/servers/$name"
  for _ in $(seq 300); do
    if curl -sf -m 5 -o /dev/null "$@"; then return; fi
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.2
  done
  die "$name did not start: $(tail -3 "$work/log/$name")"
}

stop_servers() {
  local file pid
  for file in "$work"/servers/*; do
    if [ -e "$file" ]; then
      read -r pid _ <"$file"
      kill "$pid" 2>/dev/null || true
    fi
  done
  wait
}

start_baseline() { # CONNECTIONS
  local port name=baseline-$1
  port=$(free_port)
  (cd "$root" && CGO_ENABLED=0 go build -trimpath -o "$work/bin/baseline" ./bench/baseline)
  "$work/bin/baseline" -listen "127.0.0.1:$port" -database "$database" -pool "$1" >"$work/log/$name" 2>&1 &
  started "$name" $! "http://127.0.0.1:$port" "http://127.0.0.1:$port/health"
}

start_fraiseql() { # NAME SCHEMA, and what else is in its configuration
  local port name=$1 bin=$BIN
  if [ -z "$bin" ]; then
    bin=$work/bin/fraiseql
    if [ "$name" = fraiseql ]; then (cd "$root" && CGO_ENABLED=0 go build -trimpath -o "$bin" ./cmd/fraiseql); fi
  fi
  port=$(free_port)
  cat >"$work/$name.toml" <<T
[server]
port = $port

[database]
url = "$database"
pool_size = $connections
schemas = ["$2"]

[lifecycle]
shutdown_delay = "0s"
$3
T
  "$bin" serve --config "$work/$name.toml" >"$work/log/$name" 2>&1 &
  started "$name" $! "http://127.0.0.1:$port/graphql" "http://127.0.0.1:$port/ready"
}

# The same server for a role, by tokens.
start_guarded() {
  local secret=a-secret-of-the-benchmark-alone-0123456789 text
  encode() { base64 -w0 | tr '+/' '-_' | tr -d '='; }
  text=$(printf '{"alg":"HS256"}' | encode).$(printf '{"sub":"7","role":"bench_reader","tenant":"blog","exp":%d}' $(($(date +%s) + 86400)) | encode)
  echo "$text.$(printf %s "$text" | openssl dgst -sha256 -hmac "$secret" -binary | encode)" >"$work/token"
  printf %s "$secret" >"$work/secret"
  start_fraiseql fraiseql-guarded guarded "[auth.jwt]
secret_file = \"$work/secret\"
[graphql.roles.bench_reader]"
}

start_postgraphile() {
  local port dir=$work/postgraphile
  mkdir -p "$dir"
  cp "$bench/postgraphile/graphile.config.mjs" "$dir"
  if ! cmp -s "$bench/postgraphile/package.json" "$dir/installed.json"; then
    say "installing PostGraphile, once"
    cp "$bench/postgraphile/package.json" "$dir"
    (cd "$dir" && npm install --no-audit --no-fund --loglevel=error >&2) || die "npm install failed in $dir"
    cp "$dir/package.json" "$dir/installed.json"
  fi
  port=$(free_port)
  (cd "$dir" && DATABASE_URL=$database POOL=$connections PORT=$port NODE_ENV=production GRAPHILE_ENV=production \
    exec node_modules/.bin/node node_modules/postgraphile/dist/cli-run.js >"$work/log/postgraphile" 2>&1) &
  started postgraphile $! "http://127.0.0.1:$port/graphql" \
    "http://127.0.0.1:$port/graphql" -H 'Content-Type: application/json' -d '{"query":"{ __typename }"}'
}

postgraphile_version() { # empty when it is not measured
  if [ -e "$work/servers/postgraphile" ]; then
    echo "PostGraphile $(jq -r .version "$work/postgraphile/node_modules/postgraphile/package.json")" \
      "on Node.js $("$work/postgraphile/node_modules/.bin/node" --version)"
  fi
}
