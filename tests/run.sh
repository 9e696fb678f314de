#!/usr/bin/env bash
# Every check and test on a fresh machine: format, lints, docs, licences, tests on both databases. Says by name what it skipped.
#
# THUOCDO_REAL_DATA names a folder of recorded answers; without it the tests that need them report themselves as skipped.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ -n "${THUOCDO_REAL_DATA:-}" ]; then
  THUOCDO_REAL_DATA=$(cd "$THUOCDO_REAL_DATA" && pwd)
  export THUOCDO_REAL_DATA
fi

step() { printf '\n== %s\n' "$*"; }

step "format"
cargo fmt --all --check

step "lints (warnings denied)"
cargo clippy --all-targets --quiet -- -D warnings

step "documentation (warnings denied)"
RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --quiet

step "licences and sources"
if command -v cargo-deny >/dev/null 2>&1; then
  cargo deny --log-level error check bans licenses sources
else
  echo "skipped: licences and sources: cargo-deny is not installed (cargo install cargo-deny --locked)"
fi

step "shipped files"
cargo run --quiet -- check >/dev/null

step "tests, on SQLite and PostgreSQL"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
tests/with-postgres.sh cargo test --quiet -- --nocapture 2>&1 | tee "$log"

step "skipped"
grep -oh 'skipped: .*' "$log" | sort -u || echo "nothing"
