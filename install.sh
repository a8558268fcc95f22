#!/bin/sh
# Installs kibosh for this user, without root, or removes it again.
set -eu

usage() {
    cat <<'END'
usage: install.sh [--binary FILE] [--prefix FOLDER]
       install.sh --uninstall [--prefix FOLDER]

Builds kibosh from the folder of this script, or takes a built one, checks that it works, and puts it at
  PREFIX/bin/kibosh
  PREFIX/lib/kibosh/bash and PREFIX/lib/kibosh/sh, for agents that look at the name of their shell
with its man pages and completions. PREFIX is ~/.local unless it is set or given.
END
}

fail() {
    printf 'install.sh: %s\n' "$*" >&2
    exit 1
}

prefix=${PREFIX:-}
binary=
uninstall=false
while [ $# -gt 0 ]; do
    case $1 in
    --binary)
        [ $# -ge 2 ] || fail "--binary needs a file"
        binary=$2
        shift
        ;;
    --prefix)
        [ $# -ge 2 ] || fail "--prefix needs a folder"
        prefix=$2
        shift
        ;;
    --uninstall) uninstall=true ;;
    -h | --help)
        usage
        exit 0
        ;;
    *)
        usage >&2
        fail "unknown argument: $1"
        ;;
    esac
    shift
done
[ -n "$prefix" ] || prefix=${HOME:?install.sh: set HOME or PREFIX}/.local
case $prefix in
/*) ;;
*) prefix=$PWD/$prefix ;;
esac

bin=$prefix/bin
lib=$prefix/lib/kibosh
man=$prefix/share/man/man1
bash_completions=$prefix/share/bash-completion/completions
zsh_completions=$prefix/share/zsh/site-functions
fish_completions=$prefix/share/fish/vendor_completions.d

remove() {
    rm -f "$bin/kibosh" "$lib/bash" "$lib/sh" \
        "$bash_completions/kibosh" "$zsh_completions/_kibosh" "$fish_completions/kibosh.fish"
    for page in "$man/kibosh.1" "$man"/kibosh-*.1; do
        rm -f "$page"
    done
    if [ -d "$lib" ]; then
        rmdir "$lib" || fail "$lib is not empty; what is in it is not of kibosh and was kept"
    fi
    printf 'removed kibosh from %s\n' "$prefix"
    printf 'kept, where there are any: your policy in ~/.config/kibosh and the record in ~/.local/state/kibosh\n'
}

# Builds the program and prints where it is.
build() {
    source=$(cd "$(dirname "$0")" && pwd)
    [ -f "$source/Cargo.toml" ] || fail "there is no source beside this script; give a built kibosh with --binary"
    command -v cargo >/dev/null || fail "cargo is not installed (https://rustup.rs); or give a built kibosh with --binary"
    target=$(uname -m)-unknown-linux-musl
    # A static binary starts fastest; without the target an ordinary one is built.
    if command -v rustup >/dev/null && rustup target list --installed | grep -qx "$target"; then
        (cd "$source" && cargo build --release --locked --target "$target" --target-dir target >&2)
        printf '%s\n' "$source/target/$target/release/kibosh"
    else
        (cd "$source" && cargo build --release --locked --target-dir target >&2)
        printf '%s\n' "$source/target/release/kibosh"
    fi
}

# Checks a kibosh from a neutral place, before it is put where anybody runs it.
verify() {
    (
        cd /
        "$1" --version >/dev/null || fail "$1 --version fails"
        status=0
        "$1" -c 'exit 7' || status=$?
        [ "$status" -eq 7 ] || fail "$1 does not run commands (exit 7 gave $status)"
        status=0
        said=$("$1" check 'rm -rf /' 2>&1) || status=$?
        [ "$status" -eq 20 ] || fail "$1 does not stop rm -rf / (status $status): $said"
    )
}

if $uninstall; then
    remove
    exit 0
fi

if [ -z "$binary" ]; then
    binary=$(build)
fi
if [ ! -f "$binary" ] || [ ! -x "$binary" ]; then
    fail "$binary is no program"
fi

mkdir -p "$bin" "$lib"
new=$bin/.kibosh.new.$$
trap 'rm -f "$new"' EXIT
# In one write, so that the kernel keeps the file in large pieces, of which a start touches fewer.
dd if="$binary" of="$new" bs=16M 2>/dev/null
chmod 755 "$new"
verify "$new"
# A rename, so that a shell that runs the old one keeps it and no moment is without one.
mv -f "$new" "$bin/kibosh"
for name in bash sh; do
    ln -sf ../../bin/kibosh "$lib/$name"
    status=0
    "$lib/$name" -c 'exit 7' || status=$?
    [ "$status" -eq 7 ] || fail "$lib/$name does not run commands (exit 7 gave $status)"
done

mkdir -p "$man" "$bash_completions" "$zsh_completions" "$fish_completions"
"$bin/kibosh" --generate man "$man"
"$bin/kibosh" --generate completions bash >"$bash_completions/kibosh"
"$bin/kibosh" --generate completions zsh >"$zsh_completions/_kibosh"
"$bin/kibosh" --generate completions fish >"$fish_completions/kibosh.fish"

printf 'installed kibosh in %s\n' "$prefix"
printf 'use it as an agent'\''s shell:\n  SHELL=%s/bash AGENT\n' "$lib"
case :$PATH: in
*:"$bin":*) ;;
*) printf '%s is not in PATH\n' "$bin" ;;
esac
