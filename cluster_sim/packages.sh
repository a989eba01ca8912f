#!/usr/bin/env bash
# Debian packages that the simulated world (demo) and the tests (test) use. As root on Debian or Ubuntu they are installed;
# otherwise the one line to run is printed, and the world goes on with emulated guests.
set -euo pipefail

declare -A package_of=([ip]=iproute2 [mmdebstrap]=mmdebstrap [newuidmap]=uidmap [zstd]=zstd [ssh]=openssh-client)
for set in "$@"; do
  if [ "$set" = test ]; then
    package_of+=([prometheus]=prometheus [chromium]=chromium [tmux]=tmux)
  fi
done

missing=()
for command in "${!package_of[@]}"; do
  command -v "$command" >/dev/null 2>&1 || PATH="$PATH:/usr/sbin:/sbin" command -v "$command" >/dev/null 2>&1 || missing+=("${package_of[$command]}")
done
"${PYTHON:-python3}" -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
if [ "${#missing[@]}" -eq 0 ]; then
  exit 0
fi

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  echo "Installing Debian packages that are not here yet: ${missing[*]}." >&2
  apt-get update -qq
  # A daemon that a package would start has no use here.
  DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
else
  echo "Some programs are not here. What can goes on without them, with emulated guests. To have all: sudo apt-get install ${missing[*]}" >&2
fi
