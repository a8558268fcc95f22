#!/bin/bash
# What the exec gate costs beside bash: the start, a loop of programs, git, a configure and a make.
# Usage: benches/gate.sh [SOURCE-FOLDER [WORK...]]; without a folder the source of GNU hello is fetched with
# apt-get and prepared below target/. With --floor in place of a WORK, or beside it, bash is also measured under
# supervisors that judge nothing (benches/floor.rs), which this program itself is: it is linked like the binary that is shipped.
set -euo pipefail
cd "$(dirname "$0")/.."
target=$(uname -m)-unknown-linux-musl
cargo build --quiet --release --target "$target"
installed=$(mktemp "target/$target/gate.XXXXXX")
trap 'rm -f "$installed"' EXIT
dd if="target/$target/release/kibosh" of="$installed" bs=16M 2>/dev/null
chmod 755 "$installed"
source=${1:-}
if [[ -z $source ]]; then
  source=$PWD/target/hello
  if [[ ! -e $source/Makefile ]]; then
    mkdir -p "$source.d" && cd "$source.d"
    mkdir -p lists/partial parts
    # The machine's own places of packages, for sources.
    for list in /etc/apt/sources.list.d/*.sources; do
      [[ -e $list ]] && sed 's/^Types:.*/Types: deb-src/' "$list" >"parts/${list##*/}"
    done
    sed -n 's/^deb /deb-src /p' /etc/apt/sources.list >parts/one.list 2>/dev/null || true
    apt=(-o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$PWD/parts" -o Dir::State::lists="$PWD/lists" -o APT::Sandbox::User=root)
    apt-get "${apt[@]}" update -qq
    apt-get "${apt[@]}" source -qq --download-only hello
    mkdir -p "$source" && tar -xf hello_*.orig.tar.?z -C "$source" --strip-components=1
    cd "$source" && FORCE_UNSAFE_CONFIGURE=1 ./configure >/dev/null
    cd ../..
  fi
fi
cargo bench --quiet --target "$target" --bench gate -- "$PWD/$installed" "$source" "${@:2}"
