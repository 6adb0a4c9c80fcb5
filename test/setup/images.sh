#!/usr/bin/env bash
# The images that the tests of boards need, made without a registry and kept in the cache folder:
#   images.sh base     debian:bookworm-slim: a Debian 12 root file system by debootstrap, from this machine's own mirror
#   images.sh client   the client image: device-scripts/Dockerfile.pi, built by an engine of its own on that base
# Prints the path of the archive, which `docker load` reads; makes it only where it is missing. Needs root.
set -euo pipefail
export PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH
here=$(cd "$(dirname "$0")/../.." && pwd)
cache=${FEDFLEET_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/fedfleet}
images=$cache/images
docker=/usr/bin/docker
mkdir -p "$images"

# One at a time on this machine: whoever comes second finds what the first has made.
exec 9>"$images/.lock"
flock 9

folder=""
dockerd=""
clean_up() {
  if [ -n "$dockerd" ]; then
    kill "$dockerd" 2>/dev/null || true
    wait "$dockerd" 2>/dev/null || true
  fi
  if [ -n "$folder" ]; then
    awk -v below="$folder/" 'index($5, below) == 1 {print $5}' /proc/self/mountinfo | sort -r | while read -r at; do
      umount -l "$at" || true
    done
    rm -rf --one-file-system "$folder"
  fi
}
trap clean_up EXIT
trap 'exit 143' TERM INT

# "URI suite" of each Debian archive in this machine's sources, in both of apt's formats.
sources() {
  awk '$1 == "deb" { uri = $2 ~ /^\[/ ? 0 : 2; for (i = 2; i <= NF; i++) if ($i ~ /^https?:/) uri = i;
         if (uri) print $uri, $(uri + 1) }' \
    /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null || true
  awk 'BEGIN { RS = ""; FS = "\n" }
       { uris = suites = ""; on = 1
         for (i = 1; i <= NF; i++) {
           if ($i ~ /^URIs:/) { uris = $i; sub(/^URIs: */, "", uris) }
           if ($i ~ /^Suites:/) { suites = $i; sub(/^Suites: */, "", suites) }
           if ($i ~ /^Enabled: *no/) on = 0 }
         if (on) { n = split(uris, u, " "); m = split(suites, s, " ")
           for (a = 1; a <= n; a++) for (b = 1; b <= m; b++) print u[a], s[b] } }' \
    /etc/apt/sources.list.d/*.sources 2>/dev/null || true
}

# An image of one layer, as `docker save` writes one: its identity stays the same wherever it is loaded, so that
# what was built on it once serves as a cache later.
image_of() (
  cd "$1"
  layer=$(sha256sum layer.tar | cut -c1-64)
  now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
  printf '{"architecture":"%s","os":"linux","created":"%s","config":{"Env":["PATH=%s"],"Cmd":["bash"]},' \
    "$(dpkg --print-architecture)" "$now" /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin >config.json
  printf '"rootfs":{"type":"layers","diff_ids":["sha256:%s"]},"history":[{"created":"%s","comment":"debootstrap"}]}' \
    "$layer" "$now" >>config.json
  config=$(sha256sum config.json | cut -c1-64).json
  mv config.json "$config"
  printf '[{"Config":"%s","RepoTags":["debian:bookworm-slim"],"Layers":["layer.tar"]}]' "$config" >manifest.json
  tar -cf - manifest.json "$config" layer.tar
)

base() {
  local out=$images/base-bookworm.tar mirror security root
  if [ ! -e "$out" ]; then
    mirror=$(sources | awk '$1 ~ /\/debian\/?$/ {print $1; exit}')
    security=$(sources | awk '$1 ~ /\/debian-security\/?$/ {print $1; exit}')
    mirror=${mirror:-http://deb.debian.org/debian}
    security=${security:-http://deb.debian.org/debian-security}
    folder=$(mktemp -d "$images/base.XXXXXX")
    root=$folder/root
    debootstrap --variant=minbase --include=ca-certificates bookworm "$root" "$mirror" >"$images/base.log" 2>&1 ||
      { tail -n 20 "$images/base.log" >&2; exit 1; }
    printf 'deb %s bookworm main\ndeb %s bookworm-updates main\ndeb %s bookworm-security main\n' \
      "$mirror" "$mirror" "$security" >"$root/etc/apt/sources.list"
    # How this machine reaches the mirror, where it needs more than the address.
    apt-config dump | grep -E '^Acquire::https?::(Proxy|Verify)' >"$root/etc/apt/apt.conf.d/90machine" || true
    rm -rf "$root"/var/cache/apt/*.bin "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* \
      "$root"/var/log/* "$root"/etc/hostname "$root"/etc/resolv.conf "$root"/tmp/*
    mkdir "$folder/image"
    tar --numeric-owner -C "$root" -cf "$folder/image/layer.tar" .
    image_of "$folder/image" >"$folder/base.tar"
    mv "$folder/base.tar" "$out"
    rm -rf --one-file-system "$folder"
    folder=""
  fi
  echo "$out"
}

# What the image is made of, as src-main/boards/docker/recipe-digest.ts reckons it too.
digest() {
  cd "$here/device-scripts"
  {
    printf '%s\n' Dockerfile.pi debian:bookworm-slim "$(sed -n 's/^ARG FLWR=//p' Dockerfile.pi)"
    { find fedfleet_client -type f ! -path '*/__pycache__/*' ! -name '*.pyc'; ls Dockerfile.pi constraints*.txt; } |
      LC_ALL=C sort | xargs -d '\n' sha256sum
  } | sha256sum | cut -c1-64
}

# Certificates that this machine trusts beyond those of a plain Debian: behind a proxy that inspects TLS, pip needs them.
extra_ca() {
  local file
  for file in "${FEDFLEET_EXTRA_CA:-}" "${PIP_CERT:-}" "${REQUESTS_CA_BUNDLE:-}" "${SSL_CERT_FILE:-}"; do
    [ -n "$file" ] && [ -r "$file" ] && { echo "$file"; return; }
  done
}

# The same stream as src-main/boards/docker/build-context.ts packs: what is built here once is a cache for the lab.
context() {
  local folder=$1 ca
  mkdir "$folder"
  (cd "$here/device-scripts" && tar --exclude=__pycache__ --exclude='*.pyc' -cf - fedfleet_client Dockerfile.pi constraints*.txt) |
    tar -C "$folder" -xf -
  ca=$(extra_ca)
  [ -z "$ca" ] || cp "$ca" "$folder/extra-ca.crt"
  chmod -R u=rwX,go=rX "$folder"
  find "$folder" -type f -exec chmod 0644 {} +
  (cd "$folder" && tar --format=ustar --numeric-owner --owner=0 --group=0 --mtime=@0 -cf - -- *)
}

client() {
  local recipe way out base_tar args=() name old
  recipe=$(digest)
  # How it is made counts too: an archive of an older way to make it is no cache for the lab's builds.
  way=$(sha256sum "$here/test/setup/images.sh" "$here/src-main/boards/docker/build-context.ts" | cut -c1-64 | sha256sum)
  out=$images/client-${recipe:0:12}-${way:0:6}.tar
  if [ ! -e "$out" ]; then
    base_tar=$(base)
    folder=$(mktemp -d /tmp/fedfleet-images.XXXXXX)
    for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY \
      PIP_INDEX_URL PIP_TRUSTED_HOST; do
      [ -z "${!name:-}" ] || args+=(--build-arg "$name")
    done
    # 9>&-: what is started here must not hold the lock.
    dockerd --bridge=none --iptables=false --data-root "$folder/data" --exec-root "$folder/exec" \
      --pidfile "$folder/pid" --host "unix://$folder/docker.sock" >"$images/dockerd.log" 2>&1 9>&- &
    dockerd=$!
    export DOCKER_HOST=unix://$folder/docker.sock DOCKER_BUILDKIT=0
    for _ in $(seq 300); do
      [ -S "$folder/docker.sock" ] && $docker version >/dev/null 2>&1 && break
      kill -0 "$dockerd" 2>/dev/null || { tail -n 20 "$images/dockerd.log" >&2; exit 1; }
      sleep 0.1
    done
    $docker load --quiet --input "$base_tar" >/dev/null
    # What an older one took from the network is taken from there.
    for old in "$images"/client-*.tar; do
      [ -e "$old" ] && args+=(--cache-from "$($docker load --quiet --input "$old" | sed -n 's/^Loaded image: //p')")
    done
    context "$folder/context" |
      $docker build --network host --force-rm --file Dockerfile.pi "${args[@]}" \
        --label "org.fedfleet.recipe=$recipe" --tag "fedfleet-client:pi-${recipe:0:12}" - \
        >"$images/client.log" 2>&1 || { tail -n 30 "$images/client.log" >&2; exit 1; }
    $docker save --output "$folder/client.tar" "fedfleet-client:pi-${recipe:0:12}"
    chmod 0644 "$folder/client.tar"
    # Older ones were made from other files; the last of them may still be being read.
    { ls -t "$images"/client-*.tar 2>/dev/null || true; } | tail -n +2 | xargs -r -d '\n' rm -f
    mv "$folder/client.tar" "$out.part"
    mv "$out.part" "$out"
  fi
  echo "$out"
}

case ${1:-} in
  base | client) "$1" ;;
  *) echo "usage: images.sh base|client" >&2; exit 2 ;;
esac
