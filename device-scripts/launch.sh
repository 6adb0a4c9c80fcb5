# shellcheck shell=bash
# Shared by run_pi.sh and run_jetson.sh: builds the client image if it is missing, and runs the client in it.
# They source it; it expects `here` (this folder) and `usage` (a function).
: "${here:?}"

say() { printf '%s\n' "$*" >&2; }

# Exit code 2: the command line is wrong, or this computer is not ready.
give_up() {
  say "$(basename "$0"): $*"
  exit 2
}

image=""
# read by the scripts that source this file
# shellcheck disable=SC2034
base="" l4t=""
rebuild=no
dry_run=no
data=./data
state=""
server=""
runtime=()
mounts=()
arguments=()

# An absolute path, whether or not it exists.
absolute() {
  case $1 in
    /*) printf '%s' "$1" ;;
    *) printf '%s/%s' "$PWD" "$1" ;;
  esac
}

# Mounts a file that the client reads, and passes on its path in the container.
mount_file() {
  local option=$1 file
  file=$(absolute "$2")
  [ -f "$file" ] || give_up "$option: there is no file $file"
  mounts+=(--volume "$file:/fedfleet/files$file:ro")
  arguments+=("$option" "/fedfleet/files$file")
}

# Reads this script's own options and passes the others to the client, in both spellings: --x=value and --x value.
read_options() {
  local option value
  while [ $# -gt 0 ]; do
    option=$1
    shift
    case $option in
      -h | --help)
        usage
        exit 0
        ;;
      --rebuild | --dry-run)
        [ "$option" = --rebuild ] && rebuild=yes || dry_run=yes
        continue
        ;;
      --self-test)
        arguments+=("$option")
        continue
        ;;
      --*=*)
        value=${option#*=}
        option=${option%%=*}
        ;;
      --*)
        [ $# -gt 0 ] || give_up "$option needs a value; see --help"
        value=$1
        shift
        ;;
      *) give_up "$option is not an option; see --help" ;;
    esac
    # underscores as the original repository writes them
    option=${option//_/-}
    # shellcheck disable=SC2034
    case $option in
      --image) image=$value ;;
      --base) base=$value ;;
      --l4t) l4t=$value ;;
      --data-dir) data=$value ;;
      --state-dir) state=$value ;;
      --part | --ca) mount_file "$option" "$value" ;;
      --server-address)
        server=$value
        arguments+=("$option" "$value")
        ;;
      *) arguments+=("$option" "$value") ;;
    esac
  done
}

# The image gets a new name when the files that it is made of change.
digest() {
  (
    cd "$here" || exit 1
    printf '%s\n' "$@"
    find fedfleet_client -type f -name '*.py' | LC_ALL=C sort | xargs cat -- constraints.txt "$1"
  ) | sha256sum | cut -c1-12
}

# plan_build DOCKERFILE BASE [FLWR]: sets the image's name and the command that builds it.
plan_build() {
  local name
  image=fedfleet-client:hand-$(digest "$@")
  # the host's network: the kernels of some Jetsons have no bridge
  build=(docker build --network host --file "$here/$1" --build-arg "BASE=$2")
  [ -z "${3:-}" ] || build+=(--build-arg "FLWR=$3")
  for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY PIP_INDEX_URL PIP_TRUSTED_HOST; do
    [ -z "${!name:-}" ] || build+=(--build-arg "$name")
  done
  build+=(--tag "$image" "$here")
}

show() {
  printf '%q ' "$@"
  printf '\n'
}

# launch DOCKERFILE BASE [FLWR]: becomes the client; its exit code is the client's.
launch() {
  local command build socket
  data=$(absolute "$data")
  [ -e "$data" ] || give_up "--data-dir: $data does not exist; put the data there (README.md describes the forms)"
  mounts+=(--volume "$data:/fedfleet/data:ro")
  arguments+=(--data-dir /fedfleet/data)
  if [ -n "$state" ]; then
    state=$(absolute "$state")
    mounts+=(--volume "$state:/fedfleet/state")
    arguments+=(--state-dir /fedfleet/state)
  fi
  case $server in
    unix:/*)
      # the folder rather than the socket, so that the container sees a socket that is created again
      socket=$(dirname "${server#unix:}")
      mounts+=(--volume "$socket:$socket")
      ;;
  esac
  build=()
  [ -n "$image" ] || plan_build "$@"
  command=(docker run --rm --init --network host --read-only --tmpfs /tmp --cap-drop ALL
    --security-opt no-new-privileges --user "$(id -u):$(id -g)" --env FEDFLEET_JOIN_TOKEN
    "${runtime[@]}" "${mounts[@]}" "$image" "${arguments[@]}")
  if [ "$dry_run" = yes ]; then
    [ ${#build[@]} -eq 0 ] || show "${build[@]}"
    show "${command[@]}"
    exit 0
  fi
  command -v docker >/dev/null || give_up "Docker is not installed; see https://docs.docker.com/engine/install/"
  docker version >/dev/null 2>&1 ||
    give_up "Docker does not answer this user ($(docker version 2>&1 >/dev/null | tail -n 1)); start it, or join the group docker and log in again"
  if [ ${#build[@]} -gt 0 ] && { [ "$rebuild" = yes ] || ! docker image inspect "$image" >/dev/null 2>&1; }; then
    say "Building $image on $2. The first time this takes some minutes."
    "${build[@]}" >&2 || give_up "the image could not be built; see Docker's output above"
  fi
  # created here, because Docker would create it as root
  [ -z "$state" ] || mkdir -p "$state"
  exec "${command[@]}"
}
