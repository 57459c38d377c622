# shellcheck shell=bash
# A PostgreSQL cluster of the benchmark's own, in .bench/postgres: made and loaded once, started and stopped by each run.

cluster=$work/postgres
database="" # its address, while it runs

find_postgres() { # sets postgres_bin to the newest that has all of its programs
  local dir found=""
  for dir in "$(dirname "$(command -v postgres || echo /nowhere/postgres)")" /usr/lib/postgresql/*/bin /usr/pgsql-*/bin \
    /opt/homebrew/opt/postgresql@*/bin /usr/local/opt/postgresql@*/bin /Applications/Postgres.app/Contents/Versions/*/bin; do
    if [ -x "$dir/postgres" ] && [ -x "$dir/psql" ]; then
      found+="$("$dir/postgres" --version | awk '{ print $3 }') $dir"$'\n'
    fi
  done
  postgres_bin=$(sort -V <<<"$found" | tail -1 | sed 's/^[^/]*//')
  [ -n "$postgres_bin" ] || die "install PostgreSQL: apt-get install postgresql (Debian) or brew install postgresql@17 (macOS)"
}

as_postgres() { # PostgreSQL refuses root
  if [ "$(id -u)" = 0 ]; then (cd / && setpriv --reuid=postgres --regid=postgres --clear-groups "$@"); else "$@"; fi
}

free_port() { # prints a port of 127.0.0.1 that nobody listens on
  local port=$((20000 + RANDOM % 10000))
  while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port + 1)); done
  echo "$port"
}

# What a machine with some memory is commonly given. Nothing may wake up inside a slice, hence no autovacuum and rare
# checkpoints; the data does not change.
settings() {
  cat <<'C'
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
shared_buffers = 1GB
effective_cache_size = 8GB
work_mem = 32MB
maintenance_work_mem = 256MB
max_connections = 200
wal_level = logical
max_wal_size = 4GB
checkpoint_timeout = 15min
random_page_cost = 1.1
max_parallel_workers_per_gather = 0
jit = off
autovacuum = off
C
}

start_postgres() { # sets database
  find_postgres
  local made port
  made="$("$postgres_bin/postgres" --version) $({ settings && cat "$bench/blog.sql"; } | cksum)"
  if as_postgres "$postgres_bin/pg_ctl" -D "$cluster/data" status >/dev/null 2>&1; then
    die "another run is at work, or was killed; then: kill -INT $(head -1 "$cluster/data/postmaster.pid")"
  fi
  if [ "$(cat "$cluster/made" 2>/dev/null)" != "$made" ]; then
    rm -rf "$cluster"
    mkdir -p "$cluster"
    if [ "$(id -u)" = 0 ]; then chown postgres "$cluster"; fi
    as_postgres test -w "$cluster" || die "the account postgres cannot enter $cluster: run as another user than root"
    as_postgres "$postgres_bin/initdb" -D "$cluster/data" -U postgres --auth=trust -E UTF8 --no-locale >"$work/log/initdb"
    settings >>"$cluster/data/postgresql.conf"
  fi
  port=$(free_port)
  as_postgres "$postgres_bin/pg_ctl" -D "$cluster/data" -l "$cluster/log" -o "-p $port" -w start >/dev/null ||
    die "PostgreSQL did not start: $(tail -3 "$cluster/log")"
  postmaster=$(head -1 "$cluster/data/postmaster.pid")
  database=postgres://postgres@127.0.0.1:$port/blog
  if [ "$(cat "$cluster/made" 2>/dev/null)" != "$made" ]; then
    say "loading 10,000 users, 100,000 posts and 500,000 comments, once"
    "$postgres_bin/psql" -Xq -v ON_ERROR_STOP=1 -c 'CREATE DATABASE blog' "${database%blog}postgres"
    "$postgres_bin/psql" -Xq -v ON_ERROR_STOP=1 -f "$bench/blog.sql" "$database"
    echo "$made" >"$cluster/made"
  fi
}

# What was written is taken back, so that the next run reads what this one did.
tidy_postgres() {
  "$postgres_bin/psql" -Xq -v ON_ERROR_STOP=1 "$database" <<'C'
delete from comments where id > 500000;
vacuum full comments, users;
analyze comments, users;
C
}

stop_postgres() {
  if [ -n "$database" ]; then as_postgres "$postgres_bin/pg_ctl" -D "$cluster/data" -m fast -w stop >/dev/null || true; fi
}
