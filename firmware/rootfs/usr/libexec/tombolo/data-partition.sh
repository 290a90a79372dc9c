# shellcheck shell=sh
# The file system of the data partition (p7): made where there is none yet, checked, and never made anew on a guess. Sourced by
# prepare-state; the device may be a file, as in the tests.
#
# A new file system replaces what is there only when a person asked for it, when the partition is as the image left it
# (all zeros), or when an earlier start had begun to make one. What cannot be repaired is left as it is.

# What the image writes of the partition, as zeros; a new file system begins with this size and is grown afterwards.
DATA_BYTES=67108864
BLOCK_BYTES=4096
# Room for the group descriptors of 1 TiB.
LARGEST_BLOCKS=268435456
# In the first sector, which ext4 leaves alone: a new file system is being made.
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

# The magic number of ext4's superblock, 56 bytes into it.
has_superblock() {
  [ "$(od -An -tx1 -j1080 -N2 "$1" | tr -d ' ')" = 53ef ]
}

is_all_zeros() {
  cmp --silent --bytes="$DATA_BYTES" "$1" /dev/zero
}

# Whole or not at all, whenever the power fails: until the last write the partition is marked and has no superblock, and the next
# start begins again. So it is made in memory first. $1 device, $2 directory in memory
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

# Makes the file system that is missing, or checks the one that is there. Fails when neither can be done; the partition is then
# as it was, but for what e2fsck has repaired. $1 device, $2 directory in memory
check_file_system() {
  if is_marked "$1"; then
    make_file_system "$1" "$2"
    return
  fi
  if ! has_superblock "$1" && is_all_zeros "$1"; then
    make_file_system "$1" "$2"
    return
  fi
  # 0 clean, 1 repaired, 2 repaired and a reboot advised (it is not mounted, so there is no need); 4 and above: not repaired
  # without losses. A superblock that cannot be read is taken from its backups.
  e2fsck -p "$1"
  [ $? -lt 4 ] && return
  # More than once: with a backup of the superblock the first run may only replay the journal.
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
