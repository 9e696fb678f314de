#!/bin/sh
# Runs a command with a throw-away PostgreSQL: tests/with-postgres.sh cargo test
# The command finds its address in THUOCDO_TEST_POSTGRES; the server and its data are gone afterwards.
set -eu

if [ $# -eq 0 ]; then
    echo "usage: tests/with-postgres.sh COMMAND [ARGUMENT]..." >&2
    exit 2
fi

find_binaries() {
    for folder in $(ls -d /usr/lib/postgresql/*/bin /usr/pgsql-*/bin 2>/dev/null | sort -Vr) $(dirname "$(command -v initdb || echo /)"); do
        if [ -x "$folder/initdb" ] && [ -x "$folder/pg_ctl" ]; then
            echo "$folder"
            return
        fi
    done
}

bin=$(find_binaries)
if [ -z "$bin" ] && [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y postgresql; } >&2
    bin=$(find_binaries)
fi
if [ -z "$bin" ]; then
    echo "tests/with-postgres.sh: no PostgreSQL server found: install it (Debian, Ubuntu: apt-get install postgresql)" >&2
    exit 1
fi

# The server refuses to run as root.
if [ "$(id -u)" -ne 0 ]; then
    as_user() { "$@"; }
elif id postgres >/dev/null 2>&1; then
    user=postgres
else
    user=nobody
fi
if [ -n "${user:-}" ]; then
    as_user() { setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups -- "$@"; }
fi

data=$(mktemp -d)
stop() {
    as_user "$bin/pg_ctl" -D "$data/db" -m immediate stop >/dev/null 2>&1 || true
    rm -rf "$data"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
[ -z "${user:-}" ] || chown "$user" "$data"

cd_here=$PWD
cd "$data" # initdb and the server must be able to read their working folder
as_user "$bin/initdb" -D "$data/db" -U thuocdo -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$data/initdb.log" 2>&1 || {
    cat "$data/initdb.log" >&2
    exit 1
}
# Nobody can reserve a port for a server, so a taken one means the next try.
tries=0
until
    port=$(shuf -i 20000-32000 -n 1)
    as_user "$bin/pg_ctl" -D "$data/db" -w -l "$data/db/server.log" -o "-h 127.0.0.1 -p $port -k $data/db -F \
        -c synchronous_commit=off -c full_page_writes=off -c max_connections=300" start >/dev/null 2>&1
do
    tries=$((tries + 1))
    if [ "$tries" -ge 5 ]; then
        cat "$data/db/server.log" >&2
        exit 1
    fi
done
cd "$cd_here"

THUOCDO_TEST_POSTGRES="postgres://thuocdo@127.0.0.1:$port/postgres"
export THUOCDO_TEST_POSTGRES
status=0
"$@" || status=$?
exit "$status"
