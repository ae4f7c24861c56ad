#!/bin/sh
# Build .venv and install what a target needs: `tools/setup.sh run` or `tools/setup.sh dev`.
# Does nothing when that was done since pyproject.toml or constraints.txt last changed.
set -eu
cd "$(dirname "$0")/.."
kind=$1
stamp=.venv/installed-$kind
python=${PYTHON:-python3}

say() { printf '%s\n' "$*" >&2; }

if [ -e "$stamp" ] && [ "$stamp" -nt pyproject.toml ] && [ "$stamp" -nt constraints.txt ]; then
    exit 0
fi

command -v "$python" >/dev/null || {
    say "watchword needs Python 3.11 or newer and found no $python."
    say "On Debian: apt-get install python3 python3-venv"
    exit 1
}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    say "watchword needs Python 3.11 or newer; $("$python" --version) was found."
    say "Name another one: make PYTHON=python3.12 ..."
    exit 1
}
if [ ! -x .venv/bin/pip ]; then
    say "making .venv with $("$python" --version) ..."
    rm -rf .venv
    "$python" -m venv .venv >/dev/null 2>&1 || {
        rm -rf .venv
        version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
            say "Python's venv module is missing; installing python$version-venv ..."
            apt-get update -qq >/dev/null 2>&1 || true
            apt-get install -y -qq "python$version-venv" >/dev/null 2>&1 || true
        fi
        "$python" -m venv .venv >/dev/null 2>&1 || {
            rm -rf .venv
            say "Python's venv module is missing. On Debian: apt-get install python$version-venv"
            exit 1
        }
    }
fi

say "installing what watchword needs (a minute the first time) ..."
log=.venv/install-$kind.log
: >"$log"
install() {
    # One line a package, so that a slow line shows where it is; the whole story goes to the log.
    { .venv/bin/python -m pip install --disable-pip-version-check --no-input --progress-bar off \
        -c constraints.txt "$@" 2>&1; echo "status $?"; } | tee -a "$log" \
        | sed -n 's/^Collecting \([^ ]*\).*/  + \1/p' >&2
    [ "$(tail -n 1 "$log")" = "status 0" ] || {
        say "the installation failed; the whole story is in $log:"
        grep -E '^(ERROR|error|fatal)|Could not|No matching' "$log" | head -n 5 | sed 's/^/  | /' >&2
        say "Is the network there? Once it is, run the same command again."
        exit 1
    }
}
install -e .
if [ "$kind" = dev ]; then
    # shellcheck disable=SC2046  # one word a requirement
    install $(.venv/bin/python - <<'PYTHON'
import tomllib
with open("pyproject.toml", "rb") as file:
    print(*tomllib.load(file)["dependency-groups"]["dev"])
PYTHON
)
fi
touch "$stamp"
