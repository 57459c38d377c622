#!/usr/bin/env bash
# Measures `fraiseql serve` against a server written by hand and against PostGraphile 5, all on one PostgreSQL, and
# prints a table with a verdict. README.md says how to read it. From the environment:
#
#   QUERIES  names of files in bench/queries/fraiseql   (all of them)
#   ROUNDS   slices of each server for a query          (5)
#   WARM     seconds of load before a slice             (2)
#   DUR      seconds that a slice is measured for       (4)
#   CONNS    connections of the load generator          (64)
#   HANGUP   1 cuts them with requests at work          (0)
#   PEERS    postgraphile or none                       (postgraphile)
#   BIN      a fraiseql to measure                      (built from this tree)
#
# Everything that is written goes below .bench, and everything that is started is stopped. Noise is no failure: the
# exit code is 0 when all that was asked for has been measured, else 1.
set -euo pipefail

: "${QUERIES:=row-by-key list-of-20 nested nested-by-key filter-aggregate thousand-rows guarded insert update}"
: "${ROUNDS:=5}" "${WARM:=2}" "${DUR:=4}" "${CONNS:=64}" "${HANGUP:=0}" "${PEERS:=postgraphile}" "${BIN:=}"

root=$(cd "$(dirname "$0")/.." && pwd)
bench=$root/bench
work=$root/.bench
results=$work/results.jsonl
connections=20 # to the database, of fraiseql and PostGraphile
pools="4 10 20" # of the baseline, which is measured with the best of them

say() { echo "$*" >&2; }
die() {
  say "bench: $*"
  exit 1
}
needs() { command -v "$1" >/dev/null || die "install $1: apt-get install $1 (Debian) or brew install $1 (macOS)"; }

# shellcheck source=lib/postgres.sh
. "$bench/lib/postgres.sh"
# shellcheck source=lib/servers.sh
. "$bench/lib/servers.sh"
# shellcheck source=lib/slices.sh
. "$bench/lib/slices.sh"

needs wrk
needs jq
needs curl
needs openssl
command -v go >/dev/null || die "install Go: https://go.dev/dl"
mkdir -p "$work/log"
chmod 755 "$work" # PostgreSQL's account has to pass

trap 'stop_servers; stop_postgres' EXIT
trap 'exit 130' INT TERM
start_postgres
for pool in $pools; do start_baseline "$pool"; done
start_fraiseql fraiseql public ""
start_guarded
servers=fraiseql
case $PEERS in
  none) ;;
  postgraphile)
    if command -v npm >/dev/null; then
      start_postgraphile
      servers="fraiseql postgraphile"
    else
      say "PostGraphile is left out: install npm (with Node.js) to measure it"
    fi
    ;;
  *) die "PEERS is postgraphile or none, not $PEERS" ;;
esac

jq -nc --arg cores "$(getconf _NPROCESSORS_ONLN)" --arg postgres "$("$postgres_bin/postgres" --version)" \
  --arg go "$(go env GOVERSION)" --arg revision "$(git -C "$root" rev-parse --short HEAD 2>/dev/null || true)" \
  --arg bin "$BIN" --arg peers "$(postgraphile_version)" \
  --arg how "$ROUNDS rounds of $WARM s warm-up and $DUR s measurement, $CONNS connections, HANGUP=$HANGUP" \
  '{facts: {cores: $cores, postgres: $postgres, go: $go, revision: $revision, bin: $bin, peers: $peers, how: $how}}' >"$results"

failed=0
for query in $QUERIES; do
  measured=""
  for server in $servers; do
    [ -e "$bench/queries/$server/$query.graphql" ] || continue
    if answers "$query" "$server"; then measured="$measured $server"; else failed=1; fi
  done
  [ -n "$measured" ] || continue
  choose_pool "$query"
  for server in $measured; do heat "$query" "$server"; done
  slice "$query" baseline 0
  for round in $(seq "$ROUNDS"); do
    for server in $measured; do
      slice "$query" "$server" "$round"
      slice "$query" baseline "$round"
    done
  done
done
case " $QUERIES " in *" insert "* | *" update "*) tidy_postgres ;; esac
"$bench/report.sh" "$results" | tee "$work/report.md"
exit "$failed"
