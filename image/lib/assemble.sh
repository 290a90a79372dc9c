# shellcheck shell=bash
# The image file out of directories, for both builders. No loop device, no mount, no vfat in the kernel: sfdisk, mtools
# and mke2fs write into the file. The same input gives the same bytes (SOURCE_DATE_EPOCH).
# shellcheck source=image/lib/layout.sh
. "$REPOSITORY/image/lib/layout.sh"

# Makes a separate file system image and copies it to its place. $1 image, $2 start in MiB, $3 file
place_partition() {
  dd if="$3" of="$1" bs=1M seek="$2" conv=notrunc,sparse status=none
}

# $1 file, $2 size in MiB, $3 FAT bits, $4 label, $5 directory with its content
make_fat() {
  rm -f "$1"
  truncate -s "$2M" "$1"
  mkfs.vfat --invariant -F "$3" -n "$4" "$1" >/dev/null
  (
    shopt -s nullglob dotglob
    # The times in the directory entries are those of the files.
    find "$5" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
    files=("$5"/*)
    [ ${#files[@]} -eq 0 ] || TZ=UTC mcopy -s -m -Q -i "$1" "${files[@]}" ::/
  )
}

# $1 directory. Everything that the build has created or changed gets the time of the commit; access times do not matter.
fix_times() {
  find "$1" -newermt "@$SOURCE_DATE_EPOCH" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
  find "$1" -exec touch --no-dereference --time=atime --date="@$SOURCE_DATE_EPOCH" {} +
}

# $1 file, $2 size in MiB, $3 label, $4 directory. Without a journal: it is never written to.
make_root() {
  local last_inode
  fix_times "$4"
  rm -f "$1"
  truncate -s "$2M" "$1"
  E2FSPROGS_FAKE_TIME=$SOURCE_DATE_EPOCH mke2fs -q -F -t ext4 -L "$3" -m 0 -O '^has_journal,^orphan_file,^resize_inode' \
    -U 746f6d62-6f6c-4f00-8000-000000000001 -E hash_seed=746f6d62-6f6c-4f00-8000-000000000002,root_owner=0:0 \
    -d "$4" "$1"
  # The time of the last change cannot be set in a directory, and only newer versions of mke2fs set it here.
  last_inode=$(dumpe2fs -h "$1" 2>/dev/null | awk '/^Inode count:/ { count = $3 } /^Free inodes:/ { print count - $3 }')
  {
    for ((inode = 2; inode <= last_inode; inode++)); do echo "set_inode_field <$inode> ctime @$SOURCE_DATE_EPOCH"; done
  } | debugfs -w -f - "$1" >/dev/null 2>&1
}

# autoboot.txt names the boot partition, and the one to try once. At most 512 bytes: the updater rewrites it as a sector.
write_config_partition() { # $1 directory
  cat >"$1/autoboot.txt" <<'END'
[all]
tryboot_a_b=1
boot_partition=2
[tryboot]
boot_partition=3
END
  cp "$REPOSITORY/image/config-partition/README.txt" "$1/README.txt"
}

# $1 root directory (nothing mounted in it), $2 directory for the boot slot, $3 work directory, $4 image to write
assemble_image() {
  local root=$1 boot=$2 work=$3 image=$4
  mkdir -p "$work/config"
  write_config_partition "$work/config"
  # A Raspberry Pi 3 looks for this on the first partition.
  [ ! -e "$boot/bootcode.bin" ] || cp "$boot/bootcode.bin" "$work/config/"
  make_fat "$work/config.img" "$CONFIG_SIZE" 16 CONFIG "$work/config"
  make_fat "$work/boot.img" "$BOOT_SIZE" 32 BOOT "$boot"
  make_root "$work/root.img" "$ROOT_SIZE" tombolo-root "$root"

  rm -f "$image"
  truncate -s "${TOTAL_SIZE}M" "$image"
  sfdisk --quiet "$image" <<END
label: dos
label-id: 0x$DISK_ID
1 : start=${CONFIG_START}MiB, size=${CONFIG_SIZE}MiB, type=e
2 : start=${BOOT_A_START}MiB, size=${BOOT_SIZE}MiB, type=c
3 : start=${BOOT_B_START}MiB, size=${BOOT_SIZE}MiB, type=c
4 : start=${EXTENDED_START}MiB, type=f
5 : start=${ROOT_A_START}MiB, size=${ROOT_SIZE}MiB, type=83
6 : start=${ROOT_B_START}MiB, size=${ROOT_SIZE}MiB, type=83
7 : start=${DATA_START}MiB, type=83
END
  place_partition "$image" "$CONFIG_START" "$work/config.img"
  place_partition "$image" "$BOOT_A_START" "$work/boot.img"
  place_partition "$image" "$ROOT_A_START" "$work/root.img"
}
