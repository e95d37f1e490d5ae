# Sourced by the other scripts: where we are, how to say what is missing, how to install it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf '\033[1m%s\033[0m\n' "$*" >&2; }
fail() { printf 'error: %s\n' "$*" >&2; exit 1; }

command -v cargo >/dev/null || [ ! -f "$HOME/.cargo/env" ] || . "$HOME/.cargo/env"
command -v cargo >/dev/null || fail "Rust is needed: https://rustup.rs, then open a new terminal"

# build_binaries PROFILE: the engine and the harness. With the features of the whole workspace, whoever asks: for each other
# set of features cargo would build half of the dependencies once more.
build_binaries() { cargo build --locked --workspace --profile "$1" --bin deskwire --bin loadtest; }

# need COMMAND PACKAGE…: installs the Debian packages if COMMAND is missing and this is root, else names the command.
need() {
    local command=$1
    shift
    if command -v "$command" >/dev/null; then return; fi
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        say "installing $*"
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
        command -v "$command" >/dev/null || fail "$command is still missing after installing $*"
    else
        fail "$command is needed: sudo apt-get install $*"
    fi
}
