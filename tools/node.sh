#!/bin/sh
# Runs the pinned Node.js that `npm ci` installed, whatever Node.js the machine has.
# The official binary needs libatomic, which a minimal Debian lacks.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
node=$root/node_modules/.bin/node

if [ ! -x "$node" ]; then
  echo "tombolo: $node is missing: run 'npm ci' first (it supports x64 and arm64 Linux)" >&2
  exit 1
fi
if ! "$node" --version >/dev/null 2>&1; then
  if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    echo "tombolo: installing libatomic1, which Node.js needs" >&2
    apt-get update -qq >&2
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends libatomic1 >&2
  else
    echo "tombolo: Node.js does not start: $("$node" --version 2>&1 | head -n 1)" >&2
    echo "tombolo: as root: apt-get install libatomic1" >&2
    exit 1
  fi
fi
PATH=$root/node_modules/.bin:$PATH
export PATH
exec "$node" "$@"
