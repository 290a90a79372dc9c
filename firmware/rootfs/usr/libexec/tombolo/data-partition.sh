# shellcheck shell=sh
# The file system of the data partition (p7): created if there is none, checked, and never created again on a guess. Sourced by
# prepare-state; the device may be a file, as in the tests.
#
# A new file system replaces the existing content in three cases only: a user requested it, the partition is as the image left
# it (all zeros), or an earlier start had begun to create one. A file system that cannot be repaired is left as it is.

# The part of the partition that the image writes, as zeros; a new file system starts with this size and is grown afterwards.
DATA_BYTES=67108864
BLOCK_BYTES=4096
# Space for the group descriptors of 1 TiB.
LARGEST_BLOCKS=268435456
# Marker in the first sector, which ext4 does not use: a new file system is being created.
MARK='tombolo: a new file system is being made'

# $1 device
is_marked() {
  [ "$(head --bytes="${#MARK}" "$1" | tr -d '\000')" = "$MARK" ]
}
mark() {
  printf '%s' "$MARK" | dd of="$1" bs=512 count=1 conv=notrunc,fsync status=none
}
unmark() {
  dd if=/dev/zero of="$1" bs=512 count=1 conv=notrunc,fsync status=none
}

# The magic number of ext4's superblock, at its byte 56.
has_superblock() {
  [ "$(od -An -tx1 -j1080 -N2 "$1" | tr -d ' ')" = 53ef ]
}

is_all_zeros() {
  cmp --silent --bytes="$DATA_BYTES" "$1" /dev/zero
}

# Complete or not at all, whenever the power fails: until the last write, the partition has the marker and no superblock, and
# the next start begins again. So the file system is first created in memory. $1 device, $2 directory in memory
make_file_system() {
  echo "making a new file system on $1"
  image=$2/new-data-partition
  mark "$1" || return
  rm -f "$image"
  truncate -s "$DATA_BYTES" "$image" &&
    mke2fs -q -F -t ext4 -T default -b "$BLOCK_BYTES" -L tombolo-data -m 1 -J size=16 \
      -E "lazy_itable_init=1,lazy_journal_init=1,resize=$LARGEST_BLOCKS" "$image" &&
    dd if="$image" of="$1" bs="$BLOCK_BYTES" skip=1 seek=1 conv=notrunc,fsync status=none &&
    dd if="$image" of="$1" bs=512 skip=1 seek=1 count=7 conv=notrunc,fsync status=none &&
    unmark "$1"
  result=$?
  rm -f "$image"
  return "$result"
}

# Creates a missing file system, or checks the existing one. Fails when neither is possible; the partition is then unchanged,
# except for what e2fsck has repaired. $1 device, $2 directory in memory
check_file_system() {
  if is_marked "$1"; then
    make_file_system "$1" "$2"
    return
  fi
  if ! has_superblock "$1" && is_all_zeros "$1"; then
    make_file_system "$1" "$2"
    return
  fi
  # 0: clean; 1: repaired; 2: repaired and a reboot is advised (not necessary, because it is not mounted); 4 and above: not
  # repaired without losses. If the superblock is unreadable, one of its backups is used.
  e2fsck -p "$1"
  [ $? -lt 4 ] && return
  # Several runs: with a backup superblock, the first run may only replay the journal.
  for attempt in 1 2 3; do
    echo "e2fsck, attempt $attempt"
    e2fsck -f -y "$1"
    if [ $? -lt 4 ]; then
      echo "e2fsck: $1 was repaired"
      return 0
    fi
  done
  echo "e2fsck: $1 could not be repaired"
  return 1
}
