#!/usr/bin/env bash
# Makes the native engine folder once per machine, outside the clone, unless a usable engine is there already.
set -euo pipefail
cd "$(dirname "$0")/../.."
if npm run -s fedfleet -- engine list --json | grep -q '"kind":"\(native\|tfjs-node\)"[^}]*"usable":true'; then
  echo "a native engine is there"
else
  npm run -s fedfleet -- engine install
fi
