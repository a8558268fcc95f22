#!/bin/bash
# Runs bash's own test-suite (Debian's source package of it) with bash and with kibosh as the shell that
# is tested, and lists each test whose output differs, and why.
# Usage: benches/bash-test-suite.sh [KIBOSH [SOURCE]]
#   KIBOSH  the binary; built for release if it is not given
#   SOURCE  an unpacked source tree of bash; fetched with apt-get source if it is not given
# Needs cc, and for fetching `deb-src` in the sources of apt.
set -euo pipefail

here=$(cd "$(dirname "$0")/.." && pwd)
if [[ $# -ge 1 ]]; then
  kibosh=$(realpath "$1")
else
  cargo build --quiet --release --manifest-path "$here/Cargo.toml"
  kibosh=$here/target/release/kibosh
fi
work=$(mktemp -d "${TMPDIR:-/tmp}/bash-test-suite.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"

if [[ $# -ge 2 ]]; then
  source=$(realpath "$2")
else
  apt-get source --quiet --quiet --download-only bash >/dev/null
  mkdir source && tar xf bash_*.orig.tar.* -C source --strip-components=1
  source=$work/source
fi

mkdir bin tested plain
for helper in recho zecho printenv xcase; do
  cc -w -I"$source" -I"$source/include" -DHAVE_UNISTD_H -o "bin/$helper" "$source/support/$helper.c"
done

# Both are called by the same path, so that no message differs by it.
run() { # TEST TARGET SHELL
  rm -rf tests && cp -r "$source/tests" tests && cp bin/* tests/
  ln -sfn "$3" bin/bash
  (
    cd tests
    export THIS_SH=$work/bin/bash BASH_TSTOUT=$work/out TMPDIR=$work/tmp PATH="$work/tests:$PATH"
    rm -rf "$TMPDIR" && mkdir "$TMPDIR"
    unset BASH_ENV ENV
    : >"$BASH_TSTOUT"
    timeout -k 5 300 setsid --wait sh "./$1" >"$work/said" 2>&1 </dev/null || true
  )
  # Numbers of processes and times are not the same twice.
  { cat said; [[ ! -e out ]] || cat out; } | sed -E "s/[0-9]{3,}/N/g; s/[0-9]+\.[0-9]+/T/g" >"$2/$1"
}

same=0 differ=()
for test in "$source"/tests/run-*; do
  test=${test##*/}
  case $test in run-all | run-minimal) continue ;; esac
  run "$test" plain /bin/bash
  run "$test" tested "$kibosh"
  if cmp -s "plain/$test" "tested/$test"; then
    same=$((same + 1))
    continue
  fi
  differ+=("$test")
  stopped=$(grep -c 'kibosh: nothing was run' "tested/$test" || true)
  echo "$test: $(diff "plain/$test" "tested/$test" | grep -c '^[<>]' || true) lines, $stopped stopped"
  grep -ho 'kibosh: nothing was run: .*' "tested/$test" | cut -c1-160 | sort | uniq -c | sort -rn | head -5 || true
  ((stopped)) || diff "plain/$test" "tested/$test" | head -20 || true
done
echo "$same the same, ${#differ[@]} different"
