#!/usr/bin/env bash
# Prints the table and the verdict for a file of results, .bench/results.jsonl unless another is named.
set -euo pipefail
jq -rs '
  def median: sort | if length == 0 then null elif length % 2 == 1 then .[(length - 1) / 2] else (.[length / 2 - 1] + .[length / 2]) / 2 end;
  def hundredth: if . then . * 100 | round / 100 else null end;
  def two: (. * 100 | round) as $n | "\($n / 100 | floor).\($n % 100 + 100 | tostring[1:])";
  def one: (. * 10 | round) as $n | "\($n / 10 | floor).\($n % 10)";
  def spread: if length == 0 then "" else "\(median | two) (\(min | two)–\(max | two))" end;
  def megabytes: map(.peak_kb | values) | if length == 0 then null else max * 1024 / 1e6 | ceil end;
  def micros: map(values) | median | if . then round else "" end;

  # Ratios of a slice to the mean of the slices of the baseline just before and just after it.
  def with_ratios:
    . as $slices
    | [range(length) | . as $i | $slices[$i]
       | if .server == "baseline" then . else
           ([$slices[$i - 1], $slices[$i + 1]] | map(select(.server? == "baseline"))) as $near
           | . + {throughput: (.rps / ($near | map(.rps) | add / length)), p99: (.p99_ms / ($near | map(.p99_ms) | add / length))}
         end];

  def row($pool):
    "| \(.[0].query) | \(.[0].server)\(if .[0].server == "baseline" then ", pool \($pool)" else "" end)"
    + " | \(map(.rps) | median | round) | \(map(.throughput | values) | spread)"
    + " | \(map(.p50_ms) | median | one) | \(map(.p99_ms) | median | one) | \(map(.p99 | values) | spread)"
    + " | \(map(.server_us) | micros) | \(map(.postgres_us) | micros) | \(megabytes // "")"
    + " | \(map(.bytes) | median | round) | \(map(.values) | max) | \(map(.errors) | add) |";

  def bars: {
    "row-by-key":       {throughput: 1.2, p99: 1.0,  postgraphile: 3},
    "list-of-20":       {throughput: 1.2, p99: 1.0,  postgraphile: 3},
    "nested":           {throughput: 1.0, p99: 1.25, postgraphile: 3},
    "nested-by-key":    {throughput: 1.0, p99: 1.25, postgraphile: 2},
    "filter-aggregate": {throughput: 1.0, p99: 1.25, postgraphile: 3},
    "thousand-rows":    {throughput: 4.0, p99: 1.25, postgraphile: 3},
    "guarded":          {throughput: 0.9, p99: 1.25, postgraphile: 0},
    "insert":           {throughput: 0.95, p99: 1.25, postgraphile: 2},
    "update":           {throughput: 0.95, p99: 1.25, postgraphile: 2}};

  def verdict($what; $have; $sign; $want):
    ($have | hundredth) as $h
    | "- \($what): " + (
        if $h and (if $sign == ">=" then $h >= $want elif $sign == "<=" then $h <= $want else $h < $want end) then "met" else "missed" end)
      + " (have \(if $h then $h | two else "no result" end), want \($sign) \($want))";

  . as $all
  | [.[] | .query // empty] | reduce .[] as $q ([]; if any(.[]; . == $q) then . else . + [$q] end) | . as $queries
  | (reduce $queries[] as $q ({}; .[$q] = ([$all[] | select(.query == $q and .rps)] | with_ratios))) as $slices
  | ($all[] | .facts // empty | "fraiseql \(if .bin == "" then .revision else .bin end); \(.cores) cores; \(.postgres); \(.go)\(if .peers == "" then "" else "; " + .peers end); \(.how)."),
    "",
    "| query | server | req/s | of baseline | p50 ms | p99 ms | p99 of baseline | server µs/req | PostgreSQL µs/req | peak MB | bytes/req | values | errors |",
    "|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ( $queries[] as $q
      | ([$all[] | select(.query == $q) | .pool // empty] | last) as $pool
      | ("baseline", "fraiseql", "postgraphile")
      | . as $server
      | [$slices[$q][] | select(.server == $server)]
      | if length > 0 then row($pool)
        elif any($all[]; .query == $q and .server == $server and .failed) then "| \($q) | \($server) | failed | | | | | | | | | | |"
        else empty end ),
    "",
    ( $queries[] as $q
      | [$slices[$q][] | select(.server == "fraiseql")] as $ours
      | [$slices[$q][] | select(.server == "postgraphile")] as $theirs
      | (if any($ours[]; .errors > 0) then [] else $ours end) as $clean
      | bars[$q] as $bar
      | verdict("\($q), throughput against the baseline"; $clean | map(.throughput) | median; ">="; $bar.throughput),
        verdict("\($q), p99 against the baseline"; $clean | map(.p99) | median; "<="; $bar.p99),
        if $theirs == [] then empty else
          verdict("\($q), throughput against PostGraphile"; [$clean[] as $o | $theirs[] | select(.round == $o.round) | $o.throughput / .throughput] | median; ">="; $bar.postgraphile)
        end,
        ( [$slices[$q][].values] | unique | select(length > 1) | "- \($q), answers differ: they have \(map(tostring) | join(", ")) values" ) ),
    ( [$slices[][] | select(.server == "fraiseql")] | megabytes | values | verdict("peak of memory, MB"; .; "<"; 120) )
' "${1:-$(dirname "$0")/../.bench/results.jsonl}"
