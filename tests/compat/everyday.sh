#!/bin/bash
# A build script as people write them.
set -euo pipefail

readonly OUT=build
log() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

usage() {
  cat <<USAGE
usage: ${0##*/} [-v] [TARGET...]
  TARGET  one of: all, docs
USAGE
}

verbose=0
while getopts 'vh' option; do
  case $option in
    v) verbose=1 ;;
    h) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
done
shift $((OPTIND - 1))

mkdir -p "$OUT"
trap 'log "left with $?"' EXIT

count=0
while IFS= read -r -d '' file; do
  ((++count))
  name=$(basename "$file" .rs)
  tr a-z A-Z < "$file" > "$OUT/$name.up"
  ((verbose)) && log "made $name"
done < <(find src -name '*.rs' -print0 | sort -z)

for target in "${@:-all}"; do
  case $target in
    all) echo "built $count files" ;;
    docs) sed 's/^# /= /' docs/guide.md > "$OUT/guide.adoc" ;;
    *) log "unknown target $target"; exit 1 ;;
  esac
done
(cd "$OUT" && ls | sort)
