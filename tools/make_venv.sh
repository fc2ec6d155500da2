# Makes the virtual environment DIRECTORY with the first python >= 3.11 that it finds.
# usage: sh tools/make_venv.sh DIRECTORY [PYTHON]
set -eu
directory=$1
wanted=${2:-}

new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

if [ -x "$directory/bin/python" ] && new_enough "$directory/bin/python" \
    && "$directory/bin/python" -m pip --version >/dev/null 2>&1; then
    exit 0
fi

# python3 first: it is the one that the user means, if it is new enough.
for python in ${wanted:-python3 python3.14 python3.13 python3.12 python3.11}; do
    if new_enough "$python"; then
        # A directory without pip is what a failed attempt leaves behind.
        rm -rf "$directory"
        if ! "$python" -m venv "$directory"; then
            rm -rf "$directory"
            echo "error: $python -m venv failed; on Debian or Ubuntu its package is python3-venv" >&2
            exit 1
        fi
        exit 0
    fi
done

found=$( (${wanted:-python3} --version) 2>&1 | head -n 1 || true)
echo "error: epmpi needs Python 3.11 or newer, and found: ${found:-none}." >&2
echo "Install one, or name it: make PYTHON=/path/to/python3.12 ..." >&2
exit 1
