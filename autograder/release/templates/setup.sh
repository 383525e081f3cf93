#!/usr/bin/env bash
# Gradescope runs this once, as root, when it builds the image: Ubuntu 22.04, 24.04 or Debian 12.
# Afterwards nothing is downloaded any more.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
venv=${M5_VENV:-/opt/activity-m5}
fail() {
    printf '\nsetup.sh: %s\nThe image was not built.\n' "$1" >&2
    exit 1
}
umask 022
[ "$(id -u)" -eq 0 ] || fail "this must run as root."

export DEBIAN_FRONTEND=noninteractive
apt-get update || fail "apt could not fetch its lists of packages; is the network up?"
apt-get install -y --no-install-recommends ca-certificates python3 python3-venv ||
    fail "apt could not install Python."
python3 -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' ||
    fail "Python 3.10 to 3.13 is needed, this image has $(python3 --version). Choose Ubuntu 22.04."

# Everything that is needed is listed and pinned, so nothing is looked for beyond the list.
# Outside of the grader's folder, since students' notebooks run as another user, who may read this
# environment and nothing of the grader.
python3 -m venv --clear "$venv" || fail "no virtual environment could be made in $venv."
"$venv/bin/python" -m pip install --disable-pip-version-check --no-cache-dir --progress-bar off \
    --no-deps --only-binary :all: --requirement "$here/requirements.txt" ||
    fail "the pinned packages could not be installed."
"$venv/bin/python" -c 'import keras, otter.test_files' ||
    fail "TensorFlow and Otter do not start here; see above. TensorFlow needs a processor with AVX."
if [ -d "$here/@GRADER@" ]; then
    chmod -R go-rwx "$here"
    cd "$here/@GRADER@"
    "$venv/bin/python" -m autograder.gradescope.container || fail "the grader is not whole."
fi
apt-get clean
rm -rf /var/lib/apt/lists/*
echo "setup.sh: done, $(du -sm "$venv" | cut -f1) MB in $venv."
