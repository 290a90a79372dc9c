# shellcheck shell=sh
# The id of the card's partition table, by which the kernel's command line names the root (PARTUUID). Every image has the same
# id. The first start gives each card its own, because with two cards of the same id the kernel may use the wrong one. Sourced
# by prepare-state; the disk may be a file, as in the tests.
#
# The order makes a power failure in between harmless: first the command lines, then the partition table. While they differ,
# the initrd finds no disk with the id of the command line and uses the disk with the image's id. Each write is within one
# sector.

IMAGE_DISK_ID=746f6d62
# In the master boot record, little-endian.
DISK_ID_OFFSET=440

# $1 disk
disk_id() {
  od -An -tx1 -j"$DISK_ID_OFFSET" -N4 "$1" | tr -d ' ' | sed 's/\(..\)\(..\)\(..\)\(..\)/\4\3\2\1/'
}
# $1 disk, $2 eight hexadecimal digits
set_disk_id() {
  for byte in $(echo "$2" | sed 's/\(..\)\(..\)\(..\)\(..\)/\4 \3 \2 \1/'); do
    # shellcheck disable=SC2059
    printf "\\$(printf %03o "0x$byte")"
  done | dd of="$1" bs=4 iflag=fullblock seek="$DISK_ID_OFFSET" oflag=seek_bytes conv=notrunc,fsync status=none
}

new_disk_id() {
  tr -d - </proc/sys/kernel/random/uuid | cut -c 1-8
}

# The id in a command line. $1 cmdline.txt
root_id() {
  sed -n 's/.*root=PARTUUID=\([0-9a-f]\{8\}\)-.*/\1/p' "$1"
}
# Overwrites only the digits, so that nothing else in the file changes. $1 cmdline.txt, $2 id
set_root_id() {
  at=$(grep --byte-offset --only-matching 'root=PARTUUID=' "$1" | head -n 1 | cut -d: -f1)
  [ -n "$at" ] && printf '%s' "$2" |
    dd of="$1" bs=8 seek=$((at + 14)) oflag=seek_bytes conv=notrunc,fsync status=none
}

# Gives the card its own id, unless it has one; also completes a change that a power failure has interrupted. $1 disk, $2 the
# command line of the running slot, $3 that of the other slot, which may be missing
make_disk_id_unique() {
  [ "$(disk_id "$1")" = "$IMAGE_DISK_ID" ] || return 0
  id=$(root_id "$2")
  if [ "$id" = "$IMAGE_DISK_ID" ]; then
    id=$(new_disk_id)
  fi
  [ ${#id} -eq 8 ] || return
  [ ! -s "$3" ] || set_root_id "$3" "$id" || return
  set_root_id "$2" "$id" && [ "$(root_id "$2")" = "$id" ] && set_disk_id "$1" "$id"
}
