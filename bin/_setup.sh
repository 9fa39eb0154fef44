# Sourced by the other scripts here: makes .venv and installs what the lock files name, then leaves PYTHON set.
# Everything it says goes to standard error. With SETUP=dev it adds the tools that the checks need.
set -eu
caller=$PWD
cd -- "$(dirname -- "$0")/.."

fail() { printf '%s\n' "$@" >&2; exit 1; }
usable() { "$1" -c 'import sys; sys.exit(not (3, 12) <= sys.version_info[:2] <= (3, 14))' >/dev/null 2>&1; }

find_python() {
    for name in "${PYTHON:-}" python3.13 python3.12 python3.14 python3 \
        /usr/local/bin/python3 /usr/bin/python3 "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.1[234].*/bin/python3; do
        # A name on PATH may be a shim that only prints an error: believe it when it has run.
        if [ -n "$name" ] && usable "$name"; then command -v -- "$name"; return; fi
    done
    return 1
}

if ! usable .venv/bin/python; then
    if [ -f .venv/pyvenv.cfg ]; then rm -rf .venv; fi
    echo "Making the virtual environment .venv" >&2
    if command -v uv >/dev/null 2>&1; then
        uv venv --quiet --python '>=3.12,<3.15' .venv >&2 || fail \
            "uv could not make .venv: it found no Python 3.12, 3.13 or 3.14 and could not fetch one."
    else
        python=$(find_python) || fail \
            "Python 3.12, 3.13 or 3.14 is needed and was not found." \
            "Install one (Debian and Ubuntu: apt-get install python3 python3-venv; else https://docs.astral.sh/uv/)," \
            "or name one: PYTHON=/path/to/python3 $0"
        "$python" -c 'import ensurepip, venv' 2>/dev/null || fail \
            "$python has no venv module. On Debian and Ubuntu:" \
            "  apt-get install python$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv"
        "$python" -m venv .venv >&2
    fi
fi
PYTHON=.venv/bin/python
"$PYTHON" -I bin/_setup.py ${SETUP:+--$SETUP} >&2
PYTHON="$PWD/$PYTHON"
# Back to where the person is (file names in arguments mean that place), with modules taken from here only.
export PATH="$PWD/.venv/bin:$PATH" PYTHONPATH="$PWD" PYTHONSAFEPATH=1
cd -- "$caller"
