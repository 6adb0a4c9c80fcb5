#!/usr/bin/env bash
# Runs the client on a Jetson's GPU. l4t-bases.txt says which base image fits the board's L4T release.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

usage() {
  cat <<'TEXT'
usage: ./run_jetson.sh --server_address=HOST:PORT --cid=NAME [--model=ResNet18] [--batch_size N] [option …]

Builds the client's image for this Jetson if it is missing, and runs the client in it on the GPU.

  --data_dir DIR     folder with the data, read-only in the container (default: ./data)
  --state_dir DIR    keeps parameters that stay on the device
  --rebuild          build the image again
  --image NAME       use an existing image
  --l4t RELEASE      the board's L4T release, for example 35.4.1 (default: as the board reports)
  --base NAME        the base image (default: the one for the L4T release in l4t-bases.txt)
  --dry-run          print the docker commands and exit

Options are written with _ or -, as --x=value or --x value. All others are the client's: see README.md, or
`python3 -m fedfleet_client --help`. The exit code is the client's.
TEXT
}

# "35.4.1" from "# R35 (release), REVISION: 4.1, GCID: …", or from the version of NVIDIA's package.
find_l4t() {
  local file=${NV_TEGRA_RELEASE:-/etc/nv_tegra_release} found=""
  [ ! -r "$file" ] || found=$(sed -nE '1s/^# R([0-9]+) .*REVISION: ([0-9.]+).*/\1.\2/p' "$file")
  [ -n "$found" ] || found=$(dpkg-query -W -f '${Version}' nvidia-l4t-core 2>/dev/null | sed 's/-.*//' || true)
  printf '%s' "$found"
}

# The line of l4t-bases.txt for a release: its base and its flwr.
look_up() {
  awk -v release="$1" '
    /^[0-9]/ && (release == $1 || index(release, $1 ".") == 1) && length($1) > length(best) { best = $1; line = $2 " " $4 }
    END { print line }' "$here/l4t-bases.txt"
}

# shellcheck source=launch.sh
. "$here/launch.sh"
read_options "$@"
flwr=""
dockerfile=Dockerfile.jetson
if [ -z "$base" ] && [ -z "$image" ]; then
  [ -n "$l4t" ] || l4t=$(find_l4t)
  [ -n "$l4t" ] || give_up "this is not a Jetson with NVIDIA's system; give its release with --l4t, or use run_pi.sh"
  read -r base flwr <<<"$(look_up "$l4t")" || true
  if [ -z "$base" ]; then
    say "No image with CUDA is known for L4T $l4t: the client trains on the processor."
    dockerfile=Dockerfile.pi
    base=debian:bookworm-slim
  fi
fi
if [ "$dockerfile" = Dockerfile.jetson ]; then
  runtime=(--runtime nvidia)
fi
launch "$dockerfile" "$base" "$flwr"
