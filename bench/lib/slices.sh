# shellcheck shell=bash
# A slice: one server under load with one query, for a few seconds.

rm -rf "$work/bodies"
mkdir -p "$work/bodies"
ticks_per_second=$(getconf CLK_TCK)

variable() { # QUERY: the name of its variable and the greatest value
  case $1 in
    row-by-key | guarded) echo "id 10000" ;;
    nested) echo "offset 900" ;;
    nested-by-key) echo "after 900" ;;
    filter-aggregate) echo "author 9000" ;;
    thousand-rows) echo "offset 5000" ;;
    list-of-20) echo ;;
    insert) echo "post 100000" ;;
    update) echo "id 10000" ;;
    *) die "there is no query $1" ;;
  esac
}

bodies() { # QUERY SERVER: prints a file of 512 request bodies; their variables are the same for every server
  local name max text=/dev/null file=$work/bodies/$1.$2
  if [ ! -e "$file" ]; then
    read -r name max <<<"$(variable "$1")"
    if [ "$2" != baseline ]; then text=$bench/queries/$2/$1.graphql; fi
    jq -nc --rawfile text "$text" --arg name "$name" --argjson max "${max:-0}" '
      limit(512; 7 | recurse(. * 16807 % 2147483647))
      | (if $name == "" then {} else {($name): (1 + . % $max)} end)
      | if $text == "" then . else {query: $text, variables: .} end' >"$file"
  fi
  echo "$file"
}

target() { # QUERY SERVER: sets pid, url and file
  file=$(bodies "$1" "$2")
  case $2 in
    baseline)
      read -r pid url <"$work/servers/baseline-$pool"
      url=$url/$1
      ;;
    fraiseql)
      local name=fraiseql
      if [ "$1" = guarded ]; then name=fraiseql-guarded; fi
      read -r pid url <"$work/servers/$name"
      ;;
    *) read -r pid url <"$work/servers/$2" ;;
  esac
}

authorization() { # prints it for the server at url; empty where nobody is asked
  if [ "$url" = "$(cut -d' ' -f2 "$work/servers/fraiseql-guarded" 2>/dev/null)" ]; then echo "Bearer $(cat "$work/token")"; fi
}

record() { # JQ-ARGUMENTS: a line of the results
  jq -nc "$@" >>"$results"
}

answers() { # QUERY SERVER: sets values, how many the first answer has; a failure is recorded
  local answer status pid url file
  target "$1" "$2"
  answer=$(head -1 "$file" | curl -s -m 20 -w '\n%{http_code}' -H 'Content-Type: application/json' -H 'Accept: application/json' -H "Authorization: $(authorization)" -d @- "$url") || true
  status=${answer##*$'\n'}
  answer=${answer%$'\n'*}
  if [ "$status" = 200 ] && values=$(jq -e 'select(.data and (has("errors") | not)) | [.data | .. | scalars] | length' 2>/dev/null <<<"$answer"); then
    return 0
  fi
  say "$1 $2: failed: $status $(head -c 300 <<<"$answer")"
  record --arg query "$1" --arg server "$2" '{query: $query, server: $server, failed: true}'
  return 1
}

load() { # SECONDS: puts the server at url under load, prints what came of it as JSON
  local most=$(($1 + 10)) # load.lua ends it when the last answer is there
  if [ "$HANGUP" = 1 ]; then most=$1; fi
  AUTHORIZATION=$(authorization) BODIES=$file LOAD_SECONDS=$1 CONNECTIONS=$CONNS HANGUP=$HANGUP \
    wrk -t1 -c"$CONNS" -d"${most}s" --timeout 10s -s "$bench/load.lua" "$url" >"$work/log/wrk" 2>&1 ||
    die "wrk failed: $(cat "$work/log/wrk")"
  tail -1 "$work/log/wrk"
}

heat() { # QUERY SERVER: load until more of it makes the server no faster; new backends are slow for seconds
  local before=0 rate pid url file
  target "$1" "$2"
  for _ in 1 2 3 4 5 6 7 8; do
    rate=$(load "$WARM" | jq '.rps | floor')
    if [ $((rate * 10)) -le $((before * 11)) ]; then return 0; fi
    before=$rate
  done
}

choose_pool() { # QUERY: sets pool to the one that the baseline answers most requests with
  local best=0 rate candidate chosen="" pid url file
  for candidate in $pools; do
    pool=$candidate
    heat "$1" baseline
    target "$1" baseline
    rate=$(load 2 | jq '.rps | floor')
    say "$1 baseline with $candidate connections: $rate/s"
    if [ "$rate" -gt "$best" ]; then
      best=$rate
      chosen=$candidate
    fi
  done
  [ -n "$chosen" ] || die "the baseline answers nothing"
  pool=$chosen
  record --arg query "$1" --arg pool "$pool" '{query: $query, pool: $pool}'
}

# CPU time in ticks; null where there is no /proc.
cpu_of_server() {
  if [ -r /proc/self/stat ]; then sed 's/^.*) //' "/proc/$pid/stat" | awk '{ print $12 + $13 }'; else echo null; fi
}
cpu_of_postgres() { # with its children, also those that have ended
  if [ ! -r /proc/self/stat ]; then
    echo null
    return
  fi
  { cat /proc/[0-9]*/stat 2>/dev/null || true; } | awk -v postmaster="$postmaster" '
    { id = $1; sub(/^.*\) /, "") }
    id == postmaster || $2 == postmaster { ticks += $12 + $13 }
    id == postmaster { ticks += $14 + $15 }
    END { print ticks + 0 }'
}
peak_of_server() { # kB
  if [ -r "/proc/$pid/status" ]; then awk '/^VmHWM/ { print $2 }' "/proc/$pid/status"; else echo null; fi
}

slice() { # QUERY SERVER ROUND
  local pid url file values line server postgres
  if ! answers "$1" "$2"; then
    failed=1
    return 0
  fi
  target "$1" "$2"
  if [ -w "/proc/$pid/clear_refs" ]; then echo 5 >"/proc/$pid/clear_refs" || true; fi # its peak of memory begins anew
  load "$WARM" >/dev/null
  server=$(cpu_of_server)
  postgres=$(cpu_of_postgres)
  line=$(load "$DUR")
  record --argjson line "$line" --arg query "$1" --arg server "$2" --argjson round "$3" --argjson values "$values" \
    --argjson peak "$(peak_of_server)" --argjson hz "$ticks_per_second" \
    --argjson s0 "$server" --argjson s1 "$(cpu_of_server)" --argjson p0 "$postgres" --argjson p1 "$(cpu_of_postgres)" '
    def micros($from; $to): if $from then ($to - $from) * 1e6 / $hz / ([$line.requests, 1] | max) else null end;
    {query: $query, server: $server, round: $round} + $line
    + {values: $values, peak_kb: $peak, server_us: micros($s0; $s1), postgres_us: micros($p0; $p1)}'
  say "$1 $2: $(jq -r '"\(.rps | floor)/s, p50 \(.p50_ms) ms, p99 \(.p99_ms) ms, \(.errors) errors"' <<<"$line")"
}
