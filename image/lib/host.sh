# shellcheck shell=bash
# What the building machine must have.

fail() {
  echo "build-image: $*" >&2
  exit 1
}

# Says what is done now, and how many seconds have passed since the start.
step() {
  echo "build-image: [$((SECONDS / 60)) min $((SECONDS % 60)) s] $*"
}

# $@ command:package pairs. Installs what is missing.
need_commands() {
  local pair missing=()
  for pair in "$@"; do
    command -v "${pair%%:*}" >/dev/null || missing+=("${pair#*:}")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  command -v apt-get >/dev/null || fail "missing programs; on Debian they are in: ${missing[*]}"
  echo "build-image: installing ${missing[*]}"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# arm64 programs must run here: natively, or through binfmt_misc and qemu-user.
need_arm64() {
  local host
  host=$(dpkg --print-architecture)
  [ "$host" != arm64 ] || return 0
  need_commands arch-test:arch-test qemu-aarch64-static:qemu-user-static update-binfmts:binfmt-support
  if ! mountpoint -q /proc/sys/fs/binfmt_misc && ! [ -e /proc/sys/fs/binfmt_misc/register ]; then
    mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc || fail "binfmt_misc cannot be mounted: this machine cannot run arm64 programs"
  fi
  arch-test arm64 >/dev/null 2>&1 || update-binfmts --enable qemu-aarch64 2>/dev/null || true
  arch-test arm64 >/dev/null 2>&1 || fail "arm64 programs do not run here (arch-test arm64); is qemu-aarch64 registered with binfmt_misc?"
}
