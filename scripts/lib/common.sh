# shellcheck shell=bash
# What every script here shares: where things are, how to speak, how to run something long, how to fail.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
CACHE=${ECHONET_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/echonet}
export ROOT CACHE

say() { printf '%s\n' "$*" >&2; }

die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# time_left SECONDS DONE ALL: what there is to say of something that has run for so long; nothing before it can be known.
time_left() {
  [ "${2:-0}" -gt 0 ] && [ "$2" -lt "$3" ] || return 0
  printf ', %s of %s, about %s s left' "$2" "$3" $(($1 * ($3 - $2) / $2))
}

# busy TEXT COMMAND...: runs the command, shows TEXT with the seconds that passed, and its last lines if it fails
# (unless `quiet` is set: for what may fail). In a file or a pipe that is one line. Where `done_of` is set, it is a command
# that prints how much is done of how much, such as "57 191": then it also shows how long it will take.
busy() {
  local text=$1 log started pid code=0 left='' looked=0
  shift
  log=$(mktemp "${TMPDIR:-/tmp}/echonet.XXXXXX")
  started=$SECONDS
  [ -t 2 ] || say "  $text"
  "$@" >"$log" 2>&1 &
  pid=$!
  # Without this an interrupt would leave the command running behind our back.
  trap 'kill "$pid" 2>/dev/null; rm -f "$log"; exit 130' INT TERM
  while kill -0 "$pid" 2>/dev/null; do
    if [ -t 2 ]; then
      if [ -n "${done_of:-}" ] && [ "$looked" -lt "$SECONDS" ]; then
        looked=$SECONDS
        # shellcheck disable=SC2046,SC2086
        left=$(time_left $((SECONDS - started)) $($done_of))
      fi
      printf '\r  %s ... %s s%s    ' "$text" $((SECONDS - started)) "$left" >&2
    fi
    sleep 0.2
  done
  wait "$pid" || code=$?
  trap - INT TERM
  if [ "$code" -ne 0 ]; then
    [ -t 2 ] && say ''
    [ -n "${quiet:-}" ] || tail -n 20 "$log" | sed 's/^/    | /' >&2
    rm -f "$log"
    return "$code"
  fi
  [ ! -t 2 ] || printf '\r\033[K  %s: done in %s s\n' "$text" $((SECONDS - started)) >&2
  rm -f "$log"
}
