#!/bin/bash
# Storms of programs under the exec gate, with random kills, on all processors: no hang, no leaked process,
# descriptor or zombie, no program that the policy stops.
# Usage: benches/stress.sh [SECONDS [KIBOSH]]
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-1800}
kibosh=${2:-}
if [[ -z $kibosh ]]; then
  cargo build --quiet --release
  kibosh=$PWD/target/release/kibosh
fi
place=$(mktemp -d "${TMPDIR:-/var/tmp}/kibosh-stress.XXXXXX")
trap 'rm -rf "$place"' EXIT
mkdir "$place/bin"
for name in demolish renovate; do
  cc -O1 -static -DNAME="\"$name\"" -DMARK="\"$place/ran\"" -o "$place/bin/$name" tests/races/program.c
done
cat >"$place/.kibosh.toml" <<'POLICY'
[[rule]]
id = "test.ask"
effect = "confirm"
reason = "demolishes what nobody can build again"
instead = "renovate"
[[rule.match]]
program = ["demolish"]
operands = ["all"]
[rule.examples]
matches = ["demolish all"]
passes = ["renovate all"]
POLICY
cat >"$place/worker.sh" <<'WORKER'
# One worker: starts programs in all ways until the time is up.
end=$1 number=$2
cd "$PLACE"
tried=0 refused=0 ran=0 other=0
while ((SECONDS < end)); do
  case $((RANDOM % 9)) in
    0) for i in 1 2 3 4 5 6 7 8 9 10; do /bin/true; done ;;
    1) seq 60 | xargs -P 8 -n 1 /bin/true ;;
    2) "$KIBOSH" -c 'sh -c "/bin/true; /bin/true"; exec /bin/true' ;;
    3) timeout -s KILL 0.1 sh -c 'while :; do /bin/true; done' || : ;;
    4) (for i in 1 2 3 4 5; do sleep 0.02 & done; wait) ;;
    5) setsid sh -c 'for i in 1 2 3 4 5 6; do /bin/true; done' & p=$!; sleep 0.00$((RANDOM % 9)); kill -9 -$p 2>/dev/null || kill -9 $p 2>/dev/null || :; wait $p 2>/dev/null || : ;;
    6) python3 -c 'import subprocess
for i in range(5): subprocess.run(["/bin/true"])' ;;
    7) bin/renovate $number >/dev/null 2>&1 && ran=$((ran + 1)) ;;
    8)
      tried=$((tried + 1))
      status=0
      case $((RANDOM % 3)) in
        0) bin/demolish all 2>/dev/null || status=$? ;;
        1) sh -c 'exec bin/demolish all' 2>/dev/null || status=$? ;;
        2) x='bin/demolish all' && eval "$x" 2>/dev/null || status=$? ;;
      esac
      if ((status == 126)); then refused=$((refused + 1)); else other=$((other + 1)); fi
      ;;
  esac
done 2>/dev/null
echo "$number $tried $refused $other $ran" >>"$PLACE/results"
WORKER
cat >"$place/storm.sh" <<'STORM'
for number in 1 2 3 4 5 6; do
  bash "$PLACE/worker.sh" "$1" $number &
done
wait
sleep 3
STORM
cd "$place"
started=$SECONDS
PLACE=$place KIBOSH=$kibosh setsid "$kibosh" run -- bash "$place/storm.sh" "$seconds" </dev/null >"$place/output" 2>&1 &
launcher=$!
sleep 1
supervisor=$(pgrep -P "$launcher" | head -n 1)
# The supervisor can be looked into by root alone.
descriptors() { find "/proc/$supervisor/fd" -mindepth 1 2>/dev/null | wc -l; }
before=$(descriptors)
(sleep $((seconds + 120)) && kill -9 "$launcher") & guard=$!
sleep "$seconds"
for _ in $(seq 100); do
  [[ -e results && $(wc -l <results) == 6 ]] && break
  sleep 1
done
sleep 1
after=$(descriptors)
zombies=$(ps -e -o ppid=,stat= | awk -v s="$supervisor" '$1 == s && $2 ~ /^Z/' | wc -l)
wait "$launcher" || {
  echo "the storm ended with status $?"
  tail -n 5 "$place/output"
  exit 1
}
kill "$guard" 2>/dev/null || true
sleep 2
awk '{ tried += $2; refused += $3; other += $4; ran += $5 } END { print "tried " tried ", refused " refused ", otherwise " other ", harmless ran " ran; exit other != 0 || tried == 0 || tried != refused || NR != 6 }' results || failed=1
marks=$(grep -c '^renovate' ran || true)
unjudged=$(grep -c '^demolish' ran || true)
left=$(pgrep -f "$place" | grep -vx $$ | wc -l || true)
echo "marks of harmless programs $marks, of stopped ones $unjudged; processes left $left; descriptors $before -> $after; zombies $zombies; $((SECONDS - started)) s"
[[ -z ${failed:-} && $unjudged == 0 && $left == 0 && $zombies == 0 && $after -le $((before + 2)) ]] && echo ok
