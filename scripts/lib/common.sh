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
# (unless `quiet` is set: for what may fail).
busy() {
  local text=$1 log started pid code=0 shown=0
  shift
  log=$(mktemp "${TMPDIR:-/tmp}/echonet.XXXXXX")
  started=$SECONDS
  "$@" >"$log" 2>&1 &
  pid=$!
  # Without this an interrupt would leave the command running behind our back.
  trap 'kill "$pid" 2>/dev/null; rm -f "$log"; exit 130' INT TERM
  [ -t 2 ] || say "  $text ..."
  while kill -0 "$pid" 2>/dev/null; do
    if [ -t 2 ]; then
      printf '\r  %s ... %s s' "$text" $((SECONDS - started)) >&2
    elif [ $((SECONDS - started)) -ge $((shown + 20)) ]; then
      shown=$((SECONDS - started))
      say "  ... still at it after $shown s"
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
  if [ -t 2 ]; then
    printf '\r  %s: done in %s s      \n' "$text" $((SECONDS - started)) >&2
  else
    say "  done in $((SECONDS - started)) s"
  fi
  rm -f "$log"
}
