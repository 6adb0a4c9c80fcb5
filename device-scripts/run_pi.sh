#!/usr/bin/env bash
# Runs the client on a processor: Raspberry Pi, or any other arm64 or x86-64 computer with Docker.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

usage() {
  cat <<'TEXT'
usage: ./run_pi.sh --server_address=HOST:PORT --cid=NAME [--model=Net] [--batch_size N] [option …]

Builds the client's image if it is missing, and runs the client in it on this computer's processor.

  --data_dir DIR     folder with the data, read-only in the container (default: ./data)
  --state_dir DIR    keeps parameters that stay on the device
  --rebuild          build the image again
  --image NAME       use an existing image
  --base NAME        the base image (default: debian:bookworm-slim)
  --dry-run          print the docker commands and exit

Options are written with _ or -, as --x=value or --x value. All others are the client's: see README.md, or
`python3 -m fedfleet_client --help`. The exit code is the client's.
TEXT
}

# shellcheck source=launch.sh
. "$here/launch.sh"
read_options "$@"
[ -z "$l4t" ] || give_up "--l4t is an option of run_jetson.sh"
launch Dockerfile.pi "${base:-debian:bookworm-slim}"
