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

# busy TEXT COMMAND...: runs the command, shows TEXT with the seconds that passed, and its last lines if it fails
# (unless `quiet` is set: for what may fail). In a file or a pipe that is one line.
busy() {
  local text=$1 log started pid code=0
  shift
  log=$(mktemp "${TMPDIR:-/tmp}/echonet.XXXXXX")
  started=$SECONDS
  [ -t 2 ] || say "  $text"
  "$@" >"$log" 2>&1 &
  pid=$!
  # Without this an interrupt would leave the command running behind our back.
  trap 'kill "$pid" 2>/dev/null; rm -f "$log"; exit 130' INT TERM
  while kill -0 "$pid" 2>/dev/null; do
    [ ! -t 2 ] || printf '\r  %s ... %s s' "$text" $((SECONDS - started)) >&2
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
  [ ! -t 2 ] || printf '\r  %s: done in %s s      \n' "$text" $((SECONDS - started)) >&2
  rm -f "$log"
}
