# shellcheck shell=bash
# A PulseAudio of the tests' own: unpacked in the cache and never installed, so that nobody's sound system changes.

# private_sound: gets it where this machine has none. Where that fails, the end-to-end part says that it did not run.
private_sound() {
  local work
  if command -v pulseaudio >/dev/null && command -v paplay >/dev/null && command -v pactl >/dev/null; then return 0; fi
  [ ! -e "$CACHE/sound/usr/bin/pulseaudio" ] || return 0
  command -v dpkg-deb >/dev/null && command -v apt-get >/dev/null || return 0
  work=$(mktemp -d)
  mkdir -p "$work/archives/partial"
  # Only downloads, into a folder of our own: what apt would install or remove for these packages does not happen.
  if quiet=1 busy 'Getting PulseAudio for the tests (unpacked in the cache, not installed)' apt-get -q -y \
    --download-only --no-install-recommends -o Debug::NoLocking=1 -o "Dir::Cache=$work" -o "Dir::Cache::archives=archives" \
    -o APT::Sandbox::User=root install pulseaudio pulseaudio-utils libasound2-plugins; then
    rm -rf "$CACHE/sound"
    mkdir -p "$CACHE/sound"
    find "$work/archives" -name '*.deb' -exec dpkg-deb -x '{}' "$CACHE/sound" ';'
    # Some packages still name /lib, which on a machine is a link to /usr/lib.
    [ ! -d "$CACHE/sound/lib" ] || { cp -a "$CACHE/sound/lib/." "$CACHE/sound/usr/lib/" && rm -rf "$CACHE/sound/lib"; }
  else
    say '  not to be had here: the end-to-end part will not run'
  fi
  rm -rf "$work"
}
