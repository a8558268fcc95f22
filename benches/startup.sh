#!/bin/bash
# Compares `kibosh -c true` with `bash -c true`: wall median at most 1.25x, peak memory at most 1.5x, the exec gate included.
# Usage: benches/startup.sh [ROUNDS]
set -euo pipefail
cd "$(dirname "$0")/.."
target=$(uname -m)-unknown-linux-musl
cargo build --quiet --release --target "$target"
# As install.sh puts it in its place.
installed=$(mktemp "target/$target/startup.XXXXXX")
trap 'rm -f "$installed"' EXIT
dd if="target/$target/release/kibosh" of="$installed" bs=16M 2>/dev/null
chmod 755 "$installed"
cargo bench --quiet --bench startup -- "$PWD/$installed" "${1:-1000}"
