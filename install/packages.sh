#!/usr/bin/env bash
# Debian packages that the simulated world (demo) and the tests (test) use: packages.sh demo|test … As root on Debian or Ubuntu they
# are installed; otherwise the one line to run is printed, and the world goes on with emulated guests.
set -euo pipefail
export LC_ALL=C
wait_seconds_max=${WAIT_SECONDS_MAX:-600}

declare -A package_of=([ip]=iproute2 [mmdebstrap]=mmdebstrap [newuidmap]=uidmap [zstd]=zstd [ssh]=openssh-client)
for set in "$@"; do
  if [ "$set" = test ]; then
    package_of+=([prometheus]=prometheus [chromium]=chromium [tmux]=tmux [named]=bind9)
  fi
done

missing=()
for command in "${!package_of[@]}"; do
  PATH="$PATH:/usr/sbin:/sbin" command -v "$command" >/dev/null 2>&1 || missing+=("${package_of[$command]}")
done
"${PYTHON:-python3}" -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
if [ "${#missing[@]}" -eq 0 ]; then
  exit 0
fi

# apt has locks on its lists, its archives and dpkg, and waits for the last alone by itself.
patient() {
  local began=$SECONDS told=
  until said=$("$@" 2>&1); do
    if ! grep -q "Could not get lock\|Unable to lock" <<<"$said" || [ $((SECONDS - began)) -ge "$wait_seconds_max" ]; then
      return 1
    fi
    [ -n "$told" ] || echo "      Another process is using apt. Waiting for it, $wait_seconds_max s at most: $(grep -m1 "lock" <<<"$said")" >&2
    told=yes
    sleep 2
  done
}

without="What can goes on without them, with emulated guests. To have all: apt-get install ${missing[*]}"
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
  echo "      Some programs are not here. ${without/: apt/: sudo apt}" >&2
  exit 0
fi
echo "      Installing those that are not here yet: ${missing[*]}" >&2
# A daemon that a package would start has no use here.
export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
if ! { patient apt-get update -qq && patient apt-get install -y -qq --no-install-recommends "${missing[@]}"; }; then
  echo "$said" | tail -n 5 >&2
  echo "      They could not be installed. $without" >&2
fi
