#!/bin/sh
# The command line client under the Node.js of this checkout: `npx tombolo status`.
set -eu
root=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
exec sh "$root/tools/node.sh" "$root/src/cli/main.ts" "$@"
