# shellcheck shell=bash
# Packages of the distribution: installs those that are missing, and only those.

# as_root COMMAND...: as root, through sudo (asking for a password only where somebody can type it).
as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null && { sudo -n true 2>/dev/null || { [ -t 0 ] && sudo -v; }; }; then
    sudo "$@"
  else
    return 1
  fi
}

_apt() { DEBIAN_FRONTEND=noninteractive as_root env DEBIAN_FRONTEND=noninteractive apt-get -q "$@"; }

# need_packages NAME...: NAME may be `this|that` where distributions differ.
need_packages() {
  local name missing=() have
  if ! command -v dpkg-query >/dev/null; then
    say "  This is not Debian or a relative of it: please see to it yourself that these are installed: $*"
    return 0
  fi
  for name in "$@"; do
    have=$(dpkg-query -W -f '${Status}\n' ${name//|/ } 2>/dev/null | grep -c 'ok installed' || true)
    [ "$have" -gt 0 ] || missing+=("$name")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  say "  Packages missing on this machine: ${missing[*]%%|*}"
  if [ "$(id -u)" -ne 0 ]; then
    as_root true || die "only root can install them. Run: sudo apt-get install -y ${missing[*]%%|*}   and then this again."
  fi
  busy 'Reading the list of packages' _apt update || die 'apt-get update failed: is this machine online?'
  local chosen=() choice
  for name in "${missing[@]}"; do
    choice=
    for have in ${name//|/ }; do
      if [ -n "$(apt-cache policy "$have" 2>/dev/null | sed -n 's/^  Candidate: //p' | grep -v '(none)')" ]; then
        choice=$have
        break
      fi
    done
    [ -n "$choice" ] || die "this distribution has no package ${name//|/ or }: install its counterpart by hand, then run this again."
    chosen+=("$choice")
  done
  # Whatever else is on this machine stays: a package that would push out another one is not worth it.
  busy "Installing ${chosen[*]}" _apt install -y --no-remove --no-install-recommends "${chosen[@]}" ||
    die "apt-get could not install them without removing others. Run: sudo apt-get install ${chosen[*]}   to see why."
}
