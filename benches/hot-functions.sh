#!/bin/bash
# Finds out which functions run when a line is judged and handed on, and writes them to src/sys/hot.ld, so
# that the linker puts them side by side (docs/decisions/0002-static-musl.md). To be run now and then; an
# entry that matches nothing does no harm. Needs valgrind.
set -euo pipefail
cd "$(dirname "$0")/.."
target=$(uname -m)-unknown-linux-musl
cargo build --release --target "$target" --config 'profile.release.strip=false'
kibosh=$PWD/target/$target/release/kibosh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
count=100
while IFS= read -r line; do
  count=$((count + 1))
  (cd "$work" && valgrind -q --tool=callgrind --demangle=no --dump-before=execve \
    --callgrind-out-file="$work/profile.$count" "$kibosh" -c "$line" >/dev/null 2>&1) || true
done <<'LINES'
true
ls -la
echo hi > out.txt
cd . && git status --short | head -20
for f in *.rs; do wc -l "$f"; done
x=$(pwd); echo "$x" | sed s/a/b/
cat a.txt | grep -n foo 2>&1
mkdir -p b && touch b/c && ls -la b | wc -l
python3 -c 'print(1)'
if [ -f a ]; then echo 1; else echo 2; fi
find . -name "*.zz" | xargs grep -l foo
LINES
{
  cat <<'HEAD'
/* The functions that run at each start, side by side: each page that is touched costs a fault, and the
   kernel maps sixteen at once. Made by benches/hot-functions.sh; read by the linker beside its own script. */
SECTIONS
{
  .text.first :
  {
HEAD
  grep -hoE '^c?fn=\([0-9]+\) [A-Za-z_][^ ]*' "$work"/profile.* | sed -E "s/^c?fn=\([0-9]+\) //; s/'[0-9]+$//" |
    sed -E 's/17h[0-9a-f]{16}E.*/17h*/; s/Cs[0-9A-Za-z]+_/Cs*_/g; s/\$/?/g' | awk '!seen[$0]++ { print "    *(.text." $0 ")" }'
  printf '  }\n}\nINSERT BEFORE .text;\n'
} >src/sys/hot.ld
