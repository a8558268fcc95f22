#!/bin/bash
# Runs bash's own test-suite (Debian's source package of it) with bash and with kibosh as the shell that
# is tested, and lists each test whose output differs.
#
# The tests are made of what nobody writes by day, so the shipped policy stops much of it. kibosh runs
# each test twice: with every rule excepted, where any difference is one of the drop-in, and as shipped,
# where a test that is stopped is named with the rules that stopped it.
#
# Usage: benches/bash-test-suite.sh [KIBOSH [SOURCE]]
#   KIBOSH  the binary; built for release if it is not given
#   SOURCE  an unpacked source tree of bash; fetched with apt-get source if it is not given
# Needs cc, unshare of util-linux, and for fetching `deb-src` in the sources of apt.
set -euo pipefail

here=$(cd "$(dirname "$0")/.." && pwd)
if [[ ${1-} != --inside ]]; then
  if [[ $# -ge 1 ]]; then
    kibosh=$(realpath "$1")
  else
    cargo build --quiet --release --manifest-path "$here/Cargo.toml"
    kibosh=$here/target/release/kibosh
  fi
  # A mount namespace, so that a policy can be laid over the home directory for the run alone.
  if [[ $(id -u) == 0 ]]; then alone=(unshare --mount); else alone=(unshare --map-root-user --mount); fi
  exec "${alone[@]}" "$here/benches/bash-test-suite.sh" --inside "$kibosh" "${2:+$(realpath "$2")}"
fi
kibosh=$2 source=$3

work=$(mktemp -d "${TMPDIR:-/tmp}/bash-test-suite.XXXXXX")
trap 'cd /; umount "$home" 2>/dev/null || true; rm -rf "$work"' EXIT
home=$(getent passwd "$(id -u)" | cut -d: -f6)
cd "$work"
if [[ ! $source ]]; then
  apt-get source --quiet --quiet --download-only bash >/dev/null
  mkdir source && tar xf bash_*.orig.tar.* -C source --strip-components=1
  source=$work/source
fi

mkdir bin excepted shipped plain home
for helper in recho zecho printenv xcase; do
  cc -w -I"$source" -I"$source/include" -DHAVE_UNISTD_H -o "bin/$helper" "$source/support/$helper.c"
done

mkdir -p home/.config/kibosh && chmod 700 home home/.config home/.config/kibosh
"$kibosh" policy list | grep -oE '\b[a-z0-9-]+\.[a-z0-9-]+\b' | sort -u | while read -r rule; do
  if grep -rqsF "id = \"$rule\"" "$here/policies"; then
    printf '[[exception]]\nrule = "%s"\nreason = "a test of bash"\n\n' "$rule"
  fi
done >home/.config/kibosh/excepted.toml
chmod 600 home/.config/kibosh/excepted.toml
mv home/.config/kibosh/excepted.toml excepted.toml
# kibosh and its policy must be found there, too.
cp "$kibosh" bin/kibosh
mount --bind home "$home"

# All are called by the same path, so that no message differs by it.
run() { # TEST RESULTS SHELL
  rm -rf tests && cp -r "$source/tests" tests && cp bin/* tests/
  mkdir -p shell && ln -sfn "$3" shell/bash
  (
    cd tests
    export THIS_SH=$work/shell/bash BASH_TSTOUT=$work/out TMPDIR=$work/tmp PATH="$work/tests:$PATH"
    rm -rf "$TMPDIR" && mkdir "$TMPDIR"
    unset BASH_ENV ENV
    : >"$BASH_TSTOUT"
    timeout -k 5 300 setsid --wait sh "./$1" >"$work/said" 2>&1 </dev/null || true
  )
  # Numbers of processes and times are not the same twice.
  { cat said; [[ ! -e out ]] || cat out; } | sed -E "s/[0-9]{3,}/N/g; s/[0-9]+\.[0-9]+/T/g" >"$2/$1"
}

same=0 differ=() stopped=0
for test in "$source"/tests/run-*; do
  test=${test##*/}
  case $test in run-all | run-minimal) continue ;; esac
  run "$test" plain /bin/bash
  cp excepted.toml home/.config/kibosh/excepted.toml
  run "$test" excepted "$work/bin/kibosh"
  rm home/.config/kibosh/excepted.toml
  run "$test" shipped "$work/bin/kibosh"
  if cmp -s "plain/$test" "excepted/$test"; then
    same=$((same + 1))
  else
    differ+=("$test")
    echo "$test: differs"
    diff "plain/$test" "excepted/$test" | head -12 || true
  fi
  if ! cmp -s "plain/$test" "shipped/$test"; then
    stopped=$((stopped + 1))
    rules=$(grep -oE 'by rule [a-z.-]+' "shipped/$test" | sort -u | cut -d' ' -f3 | paste -sd' ') || true
    echo "$test: as shipped, stopped by ${rules:-nothing}"
  fi
done
echo "with every rule excepted: $same the same, ${#differ[@]} different: ${differ[*]-}"
echo "as shipped: $stopped different"
