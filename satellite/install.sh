#!/usr/bin/env bash
# satellite/install.sh [--streams] [--no-start] | --remove | --help: installs this checkout as a service on Debian, Ubuntu
# or Raspberry Pi OS, and starts it. Run it again to update; your configuration and the pairing stay.
#
#   --streams    install also what hears cameras and radios (rtsp://, http://) and the recordings of phones: PyAV, 100 MB.
#                Where the configuration names such a source, or it was there before, that is done without being asked
#                for; in a terminal you are asked
#   --no-start   install, and start nothing
#   --remove     stop the service and remove all of it, but for the configuration and what it has remembered
#
# What it does, as root: installs missing packages of the distribution (it removes none), makes a Python environment in
# /opt/echonet-satellite with the versions and hashes of requirements/satellite*.txt, writes an example to
# /etc/echonet-satellite/config.toml where there is none, puts the command into /usr/local/bin and the unit
# satellite/echonet-satellite.service into /etc/systemd/system. Nothing else is touched.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
venv=/opt/echonet-satellite
configuration=/etc/echonet-satellite/config.toml
unit=/etc/systemd/system/echonet-satellite.service
command=/usr/local/bin/echonet-satellite

die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}
services() { [ -d /run/systemd/system ]; }

start=1
streams=
remove=
for argument in "$@"; do
  case $argument in
    --streams) streams=1 ;;
    --no-start) start= ;;
    --remove) remove=1 ;;
    -h | --help) sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0" && exit 0 ;;
    *) die "install.sh knows --streams, --no-start, --remove and --help, not '$argument'." ;;
  esac
done
[ "$(id -u)" -eq 0 ] || die "this installs a service, which only root may do: sudo $0 $*"
# How to speak, and how to show that something long goes on.
# shellcheck source=scripts/lib/common.sh
. "$here/../scripts/lib/common.sh"

if [ -n "$remove" ]; then
  ! services || systemctl disable --now echonet-satellite 2>/dev/null || true
  rm -rf "$venv" "$unit" "$unit.d"
  [ "$(readlink "$command" 2>/dev/null)" != "$venv/bin/echonet-satellite" ] || rm -f "$command"
  ! services || systemctl daemon-reload
  say 'The satellite is removed. Its configuration and what it remembers are left; to remove these too:'
  say '  sudo rm -rf /etc/echonet-satellite /var/lib/private/echonet-satellite /var/lib/echonet-satellite'
  services || say '  rm -rf ~/.local/share/echonet-satellite      of whoever has started it'
  exit 0
fi

command -v apt-get >/dev/null || die 'this is not Debian or a relative of it: docs/satellite.md says how to install by hand.'
case $(uname -m) in
  x86_64 | aarch64) ;;
  *) die "this system is $(uname -m); the network needs a 64-bit one. On a Raspberry Pi install the 64-bit Raspberry Pi OS." ;;
esac

wants_streams() {
  [ -z "$streams" ] || return 0
  ! compgen -G "$venv/lib/python3*/site-packages/av" >/dev/null || return 0
  ! grep -Eqs "^[^#]*source[[:space:]]*=[[:space:]]*[\"'][^\"']*://" "$configuration" || return 0
  # Whoever updates has answered before.
  [ ! -e "$venv" ] && [ -t 0 ] && [ -t 1 ] || return 1
  local answer
  read -r -p 'Shall it be able to hear cameras and radios, and the recordings of phones (PyAV, 100 MB)? [y/N] ' answer
  [[ $answer == [yY]* ]]
}
if wants_streams; then streams=1; fi

# alsa-utils has what people look at their microphone with: arecord, alsamixer.
packages=(ca-certificates python3 python3-venv python3-dev gcc libportaudio2 portaudio19-dev alsa-utils)
[ ! -e /dev/gpiochip0 ] || packages+=(python3-lgpio)
missing=()
for name in "${packages[@]}"; do
  dpkg-query -W -f '${Status}' "$name" 2>/dev/null | grep -q 'ok installed' || missing+=("$name")
done
if [ ${#missing[@]} -gt 0 ]; then
  say "1/4  Installing packages of the distribution: ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  busy 'Asking the distribution what there is' apt-get -qq update || die 'apt-get update failed: is this machine online?'
  busy 'Downloading and installing them (a minute)' \
    apt-get -qq install -y --no-remove --no-install-recommends "${missing[@]}" ||
    die "these could not be installed without removing others: sudo apt-get install ${missing[*]}   shows why."
else
  say '1/4  All packages of the distribution are there'
fi
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
  die "Python 3.11 or newer is needed, this is $(python3 -V): use Debian 12, Raspberry Pi OS bookworm, or newer."

say '2/4  Installing the satellite into /opt/echonet-satellite (one to five minutes on a Raspberry Pi)'
requirements=$here/../requirements
# The libraries of GPIO come from the distribution; everything else is our own.
options=()
[ ! -e /dev/gpiochip0 ] || options+=(--system-site-packages)
busy 'Making a Python environment' python3 -m venv ${options[@]+"${options[@]}"} "$venv" ||
  die "the Python environment could not be made: is there room on the disk (df -h $venv)?"
busy 'Downloading what installs the packages (uv, 20 MB)' "$venv/bin/python" -m pip --disable-pip-version-check \
  --no-input install --require-hashes -r "$requirements/uv.txt" ||
  die 'uv could not be downloaded: is this machine online, and is there room on the disk (df -h)?'
# On the same disk as the environment, so that nothing is written twice; the memory disk of a small Pi would be too small.
export UV_CACHE_DIR=$venv/cache
install_packages() {
  "$venv/bin/uv" pip install --system-certs --python "$venv/bin/python" --require-hashes "$@" \
    -r "$requirements/build.txt" -r "$requirements/satellite.txt" \
    ${streams:+-r "$requirements/satellite-streams.txt"}
}
count=$(install_packages --dry-run 2>&1 | sed -n 's/^Would download \([0-9]*\) .*/\1/p' || true)
packages_done() { printf '%s %s' "$(find "$UV_CACHE_DIR" -mindepth 2 -maxdepth 2 -path '*/archive-v*' 2>/dev/null | wc -l)" "${count:-0}"; }
doing='Looking whether all Python packages are there'
[ "${count:-0}" -eq 0 ] || doing="Downloading and installing $count Python packages (60 MB the first time)"
done_of=packages_done busy "$doing" install_packages ||
  die 'the Python packages could not be installed: is this machine online, and is there room on the disk (df -h)?'
busy 'Installing the satellite itself' "$venv/bin/uv" pip install --system-certs --python "$venv/bin/python" --no-deps \
  --no-build-isolation --reinstall-package echonet-satellite "$here" || die 'the satellite could not be installed: see above.'
rm -rf "$UV_CACHE_DIR"
ln -sfn "$venv/bin/echonet-satellite" "$command"

say '3/4  Writing the configuration and the service'
install -d -m 755 /etc/echonet-satellite
[ -e "$configuration" ] || install -m 644 "$here/config.example.toml" "$configuration"
if command -v systemctl >/dev/null; then
  install -D -m 644 "$here/echonet-satellite.service" "$unit"
  rm -rf "$unit.d"
  if getent group gpio >/dev/null; then
    install -d "$unit.d"
    printf '[Service]\nSupplementaryGroups=audio gpio\n' >"$unit.d/gpio.conf"
  fi
fi

if ! services; then
  start=
  say '4/4  Not started: no systemd runs here, which would start it and keep it running'
elif [ -z "$start" ]; then
  say '4/4  Not started, as you asked'
else
  say '4/4  Starting the service'
  systemctl daemon-reload
  systemctl enable --quiet echonet-satellite
  systemctl restart echonet-satellite
fi

say ''
# Its own last line says whether something is amiss; the installation is done all the same.
"$command" doctor >&2 || true
say ''
if services; then
  [ -n "$start" ] || say 'Start it:  sudo systemctl enable --now echonet-satellite'
  say 'Pair it with Home Assistant:  sudo echonet-satellite pair'
  say "Name the room, choose the microphone:  sudo nano $configuration   and then   sudo systemctl restart echonet-satellite"
  say 'What it says:  journalctl -u echonet-satellite -f'
else
  say "Name the room, choose the microphone:  sudo nano $configuration"
  say 'Start it, as a user of the group audio:  echonet-satellite run'
  say 'It then shows a code: type that in Home Assistant. It listens while this command runs, so let it be started again'
  say 'with the machine, by what starts services here.'
fi
