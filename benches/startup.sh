#!/bin/bash
# Compares `kibosh -c true` with `bash -c true`: wall median at most 1.15x, peak memory at most 1.5x.
# Usage: benches/startup.sh [ROUNDS]
set -euo pipefail
cd "$(dirname "$0")/.."
target=$(uname -m)-unknown-linux-musl
cargo build --quiet --release --target "$target"
exec cargo bench --quiet --bench startup -- "$PWD/target/$target/release/kibosh" "${1:-1000}"
