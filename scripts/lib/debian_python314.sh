#!/usr/bin/env bash
# debian_python314.sh DIRECTORY: unpacks the Python 3.14 of a newer Debian, with the libraries it needs, into DIRECTORY.
# An apt with its own lists and status fetches the packages, so that the machine's own apt and dpkg never see them.
# Needs apt-get, dpkg and patchelf; needs no root.
set -euo pipefail

target=${1:?usage: debian_python314.sh DIRECTORY}
triplet=$(dpkg --print-architecture)
case $triplet in
  amd64) triplet=x86_64-linux-gnu ;;
  arm64) triplet=aarch64-linux-gnu ;;
  *) echo "Home Assistant has no packages for $triplet; use a 64-bit system" >&2 && exit 1 ;;
esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The archive that this machine's own apt uses for Debian itself (a mirror near by, or one behind a firewall).
archive=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -E '/debian/?$' | sort -u | head -n 1)
[ -n "$archive" ] || { echo 'no Debian archive among the sources of apt' >&2 && exit 1; }

fetch() { # SUITE: leaves the packages in $work/cache/archives
  rm -rf "$work/state" "$work/cache" "$work/etc"
  mkdir -p "$work"/{state/lists/partial,cache/archives/partial,etc}
  : >"$work/state/status"
  printf 'deb [signed-by=%s] %s %s main\n' /usr/share/keyrings/debian-archive-keyring.gpg "${archive%/}" "$1" \
    >"$work/etc/sources.list"
  cat >"$work/apt.conf" <<CONF
Dir::State "$work/state";
Dir::State::status "$work/state/status";
Dir::Cache "$work/cache";
Dir::Etc::sourcelist "$work/etc/sources.list";
Dir::Etc::sourceparts "-";
Dir::Etc::preferencesparts "$work/etc";
APT::Sandbox::User "root";
APT::Install-Recommends "false";
Acquire::Languages "none";
Acquire::Retries "3";
// A mirror may lag behind, and a computer without a clock may be off. Signatures are checked all the same.
Acquire::Check-Valid-Until "false";
Acquire::Check-Date "false";
CONF
  export APT_CONFIG=$work/apt.conf
  apt-get -qq update && apt-get -qq install -y --download-only python3.14 python3.14-dev
}

unpack() { # DIRECTORY
  local lib=$1/usr/lib/$triplet python=$1/usr/bin/python3.14 package loader
  mkdir -p "$1"
  for package in "$work"/cache/archives/*.deb; do
    case ${package##*/} in
      # Headers of a newer C library would be used against the older one of this machine.
      libc6-dev_* | libc-dev-bin_* | linux-libc-dev_* | debconf_* | *-dbg_*) continue ;;
    esac
    dpkg -x "$package" "$1"
  done
  loader=$(find "$lib" -maxdepth 1 -name 'ld-linux*.so.*' | head -n 1)
  # RPATH and not RUNPATH, because it must hold for the extension modules too.
  patchelf --set-interpreter "$loader" --force-rpath --set-rpath "$lib" "$python"
  # pyconfig.h includes <TRIPLET/python3.14/pyconfig.h>, which a compiler finds under /usr/include only.
  ln -sfn "../$triplet" "$1/usr/include/python3.14/$triplet"
  rm -f "$1/usr/lib/python3.14/EXTERNALLY-MANAGED"
}

works() {
  "$1" - <<'PY'
import asyncio, bz2, ctypes, decimal, hashlib, lzma, multiprocessing.synchronize, readline, sqlite3, ssl, subprocess
import sys, uuid, venv, xml.parsers.expat, zlib, zoneinfo, compression.zstd

assert sys.version_info >= (3, 14, 2), sys.version
subprocess.run([sys.executable, "-c", "import ssl"], check=True)
hashlib.new("blake2b")
PY
}

for suite in forky sid; do
  if fetch "$suite"; then
    rm -rf "$target"
    unpack "$target"
    if works "$target/usr/bin/python3.14"; then
      echo "Python of Debian $suite in $target"
      exit 0
    fi
  fi
done
rm -rf "$target"
exit 1
