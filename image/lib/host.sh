# shellcheck shell=bash
# Requirements of the building machine.

fail() {
  echo "build-image: $*" >&2
  exit 1
}

# Prints the current step, and the seconds since the start.
step() {
  echo "build-image: [$((SECONDS / 60)) min $((SECONDS % 60)) s] $*"
}

# Removes directories in which an interrupted build may have left the host's /dev mounted. Nothing is deleted before everything
# below is unmounted, and never on another file system.
remove_trees() {
  local tree at
  for tree in "$@"; do
    [ -e "$tree" ] || continue
    tree=$(realpath "$tree")
    # The innermost mounts first; mountinfo writes a space as \040.
    while read -r at; do
      umount "$(printf '%b' "$at")" || fail "$tree is not removed: $at is mounted in it and in use"
    done < <(awk -v tree="$tree/" 'index($5 "/", tree) == 1 { print $5 }' /proc/self/mountinfo | sort -r)
    rm -rf --one-file-system "$tree"
  done
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
  local host registry=/proc/sys/fs/binfmt_misc magic mask qemu flags
  host=$(dpkg --print-architecture)
  [ "$host" != arm64 ] || return 0
  need_commands arch-test:arch-test qemu-aarch64-static:qemu-user-static
  # In a container it is not mounted, although arm64 programs may run by the host's registration; pi-gen checks for it.
  [ -e "$registry/register" ] || mount -t binfmt_misc binfmt_misc "$registry" 2>/dev/null || true
  ! arch-test arm64 >/dev/null 2>&1 || return 0
  [ -e "$registry/register" ] ||
    fail "arm64 programs cannot run here: the kernel has no binfmt_misc, or does not let it be mounted on $registry." \
      "It needs CONFIG_BINFMT_MISC (modprobe binfmt_misc), and in a container --privileged."
  # An ELF program for AArch64. F: the kernel opens the interpreter now, so that it works inside every root.
  qemu=/usr/libexec/qemu-binfmt/aarch64-binfmt-P flags=PF
  [ -x "$qemu" ] || qemu=$(command -v qemu-aarch64-static) flags=F
  magic='\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00'
  mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
  [ -e "$registry/qemu-aarch64" ] ||
    echo ":qemu-aarch64:M::$magic:$mask:$qemu:$flags" >"$registry/register" ||
    fail "arm64 programs cannot run here: $registry/register refuses $qemu. In a container, it needs --privileged."
  arch-test arm64 >/dev/null 2>&1 ||
    fail "arm64 programs do not run here, though binfmt_misc has: $(paste -sd' ' "$registry/qemu-aarch64")"
}
