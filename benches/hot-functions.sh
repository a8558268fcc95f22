#!/bin/bash
# Finds out which functions run when a line is judged and handed on, and when a program is judged that starts, and
# writes them to src/sys/hot.ld, so that the linker puts them side by side (docs/decisions/0002-static-musl.md). To be
# run now and then; an entry that matches nothing does no harm. Needs valgrind.
set -euo pipefail
cd "$(dirname "$0")/.."
target=$(uname -m)-unknown-linux-musl
cargo build --release --target "$target" --config 'profile.release.strip=false'
kibosh=$PWD/target/$target/release/kibosh
execs=$(cargo bench --no-run --bench execs --target "$target" --config 'profile.bench.strip=false' 2>&1 |
  sed -n 's/^ *Executable .*(\(.*\))$/\1/p')
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
profile() {
  valgrind -q --tool=callgrind --demangle=no --callgrind-out-file="$work/profile.$count" "$@" >/dev/null 2>&1 || true
}
count=100
while IFS= read -r line; do
  count=$((count + 1))
  (cd "$work" && profile --dump-before=execve "$kibosh" -c "$line")
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
count=$((count + 1))
profile "$execs" 2
# Whatever is seldom called, as the compiler takes it, has a section of another name.
entries() {
  awk '!seen[$0]++ { print "    *(.text." $0 " .text.unlikely." $0 ")" }'
}
{
  cat <<'HEAD'
/* The functions that run at each start, side by side: each page that is touched costs a fault, and the
   kernel maps sixteen at once. Made by benches/hot-functions.sh; read by the linker beside its own script. */
SECTIONS
{
  .text.first :
  {
HEAD
  {
    # A filter that is asked for cannot be had below valgrind(1), so what follows from it is not seen there.
    printf '%s*\n' _ZN6kibosh3sys _ZN6kibosh9supervise _ZN6kibosh7execute _ZN6kibosh6decide4past _ZN3nix
    grep -hoE '^c?fn=\([0-9]+\) [A-Za-z_][^ ]*' "$work"/profile.* | sed -E "s/^c?fn=\([0-9]+\) //; s/'[0-9]+$//" |
      sed -E 's/17h[0-9a-f]{16}E.*/17h*/; s/Cs[0-9A-Za-z]+_/Cs*_/g; s/\$/?/g' |
      grep -vE '^_ZN(6kibosh(3sys|9supervise|7execute|6decide4past)|3nix)'
  } | entries
  printf '  }\n}\nINSERT BEFORE .text;\n'
} >src/sys/hot.ld
