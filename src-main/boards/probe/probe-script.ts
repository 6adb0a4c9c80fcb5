/**
 * What a board is asked, in one POSIX shell script that is sent over the standard input of `sh -s`: no file is left
 * there, the user's login shell does not matter, and neither root nor anything to install is needed.
 *
 * It prints one section for each question, so that a missing command costs its own answer only:
 *
 *     fedfleet-probe 1          the first line; whatever stands before it comes from the login shell
 *     = kernel 0                a question and the exit status of what answered it
 *      6.12.25+rpt-rpi-v8       its output, errors too, each line behind one space
 *     …
 *     = end 0                   nothing was cut off
 *
 * It runs as few programs as it can: on a Raspberry Pi 3 each costs tens of milliseconds, Docker's own nearly a second.
 * The clock is read at the beginning and at the end: what lies between is the board's own time, the rest is the way.
 */
export const PROBE_SCRIPT = `
LC_ALL=C; export LC_ALL; unset LANGUAGE
PATH=\${PATH:-/usr/bin:/bin}:/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin:/snap/bin:/opt/vc/bin; export PATH
newline='
'
say() { printf '= %s %s\\n' "$1" "$2"; set -f; IFS=$newline; for l in $3; do printf ' %s\\n' "$l"; done; unset IFS; set +f; }
look() { name=$1; shift; text=$("$@" </dev/null 2>&1); code=$?; say "$name" $code "$text"; }
have() { command -v "$1" >/dev/null 2>&1; }
if timeout 1 true >/dev/null 2>&1; then soon() { timeout 8 "$@"; }; else soon() { "$@"; }; fi
clock() { date +%s.%N; }
tree() { { tr '\\000' '\\n' <"/proc/device-tree/$1"; } 2>&1; }
dmi() { cat /sys/class/dmi/id/sys_vendor /sys/class/dmi/id/product_name; }
cpu() { grep -m 1 '^Model[[:space:]]*:' /proc/cpuinfo || grep -m 1 '^model name' /proc/cpuinfo; }
bits() { getconf LONG_BIT 2>/dev/null || { case $(od -An -tu1 -j4 -N1 /bin/sh | tr -d ' ') in 1) echo 32;; 2) echo 64;; *) return 1;; esac; }; }
cores() { nproc 2>/dev/null || grep -c '^processor' /proc/cpuinfo; }
memory() { grep -E '^(MemTotal|MemAvailable|MemFree|SwapTotal):' /proc/meminfo; }
engine() { for f in /usr/bin/dockerd /usr/sbin/dockerd /usr/local/bin/dockerd /snap/bin/docker "$HOME/bin/dockerd"; do [ ! -x "$f" ] || { echo "$f"; return 0; }; done; command -v dockerd; }
reach() { for s in "$@"; do [ ! -S "$s" ] || { if [ -w "$s" ]; then echo "$s rw"; else echo "$s no"; fi; }; done; return 0; }
space() {
  p=$1; while [ -n "$p" ] && ! [ -d "$p" ]; do p=\${p%/*}; done; p=\${p:-/}
  while :; do d=$(soon df -Pk "$p" 2>&1) && break; [ "$p" != / ] || return 1; p=\${p%/*}; p=\${p:-/}; done
  printf '%s\\n' "$p"; printf '%s\\n' "$d" | tail -n 1
}
throttled() {
  v=$(soon vcgencmd get_throttled 2>/dev/null) && { echo "$v"; return 0; }
  { read -r v </sys/devices/platform/soc/soc:firmware/get_throttled; } 2>/dev/null && { echo "throttled=0x$v"; return 0; }
  for h in /sys/class/hwmon/hwmon*; do
    { read -r n <"$h/name"; } 2>/dev/null && [ "$n" = rpi_volt ] && { read -r v <"$h/in0_lcrit_alarm"; } 2>/dev/null && { echo "throttled=0x$v"; return 0; }
  done
  return 1
}
controllers() { cat /sys/fs/cgroup/cgroup.controllers 2>/dev/null || grep '^memory' /proc/cgroups; }
podman() { head -c 400 "$docker" | grep -o -m 1 podman; }
cmdline() { for f in /boot/firmware/cmdline.txt /boot/cmdline.txt; do [ ! -f "$f" ] || { echo "$f"; return 0; }; done; return 1; }
raw_table() { zcat /proc/config.gz 2>/dev/null | grep -E '^CONFIG_IP_NF_RAW=' || { [ -n "$(find "/lib/modules/$(uname -r)" -name 'iptable_raw.ko*' 2>/dev/null)" ] && echo iptable_raw; }; }

echo 'fedfleet-probe 1'
look clock clock
look model tree model
look compatible tree compatible
look dmi dmi
look cpu cpu
look l4t head -n 1 /etc/nv_tegra_release
look l4t-package dpkg-query -W -f '\${Version}\\n' nvidia-l4t-core
look os cat /etc/os-release
look machine uname -m
look kernel uname -r
look bits bits; size=$text
look cores cores
look memory memory
look uid id -u
look user id -un
look groups id -Gn
say home 0 "$HOME"
say docker-host 0 "$DOCKER_HOST"
docker=/usr/bin/docker; [ -x "$docker" ] || docker=$(command -v docker)
say docker-cli $? "$docker"
look dockerd engine; installed=$code
mine=\${XDG_RUNTIME_DIR:-/run/user/$(id -u)}/docker.sock
socket=/var/run/docker.sock
case $DOCKER_HOST in
  unix://*) socket=\${DOCKER_HOST#unix://};;
  *) [ ! -w "$mine" ] || [ -w "$socket" ] || socket=$mine;;
esac
say socket 0 "$socket"
look sockets reach "$socket"
root=
if [ -n "$docker" ]; then
  look podman podman
  look docker-info soon "$docker" -H "unix://$socket" info --format '{{json .}}'
  root=$(printf '%s\\n' "$text" | sed -n 's/.*"DockerRootDir":"\\([^"]*\\)".*/\\1/p' | head -n 1)
  # The engine tells the kernel's architecture; its own differs in a 32-bit system only. Each call takes a board long.
  [ "$size" != 32 ] || look docker-version soon "$docker" -H "unix://$socket" version --format '{{json .}}'
fi
[ -n "$root" ] || [ "$socket" != /var/run/docker.sock ] || [ "$installed" != 0 ] || root=/var/lib/docker
look disk space "\${root:-$HOME}"
if have sudo; then
  look sudo soon sudo -n true
  [ $code = 0 ] || look sudo-check soon sudo -n -v
else
  say sudo 127 'sudo: not found'
fi
have nvpmodel && look power-mode soon nvpmodel -q
look throttled throttled
look controllers controllers
look cmdline cmdline
have nvpmodel && look ip-raw raw_table
look clock-end clock
say end 0 ''
`;
