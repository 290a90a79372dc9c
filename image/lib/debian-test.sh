# shellcheck shell=bash
# The image for QEMU: Debian's own packages and kernel, our stage, the same assembly.
. "$REPOSITORY/image/debian-test/kernel.sh"

# $1 machine of QEMU: virt or raspi3b, $2 work directory, $3 output directory, $4 yes: keep the base of the last build
build_debian_test() {
  local machine=$1 work=$2 name=$3/tombolo-debian-$1 packages key fetching
  need_commands mmdebstrap:mmdebstrap mkfs.vfat:dosfstools mcopy:mtools sfdisk:fdisk mke2fs:e2fsprogs cpio:cpio \
    xz:xz-utils depmod:kmod npm:npm git:git
  need_arm64
  mkdir -p "$work"
  # Runs natively, in parallel with the base, which is emulated and uses one processor core.
  fetch_kernel "$machine" "$work/kernel" &
  fetching=$!
  packages=$(packages_of "$REPOSITORY/image/stage-tombolo" | paste -sd,)
  key=$(printf '%s\n' "$SUITE" "$DEBIAN_MIRROR" "$packages" "$(declare -f make_base)" | sha256sum | cut -c 1-64)
  if [ "$4" != yes ] || [ ! -e "$work/base.tar" ] || [ "$(cat "$work/base.key" 2>/dev/null)" != "$key" ]; then
    step "Debian, under emulation"
    rm -f "$work/base.key"
    make_base "$work/base.tar" "$packages"
    echo "$key" >"$work/base.key"
  fi
  wait "$fetching" || fail "the kernel could not be fetched"

  step "our stage"
  export ROOTFS_DIR=$work/rootfs
  remove_trees "$work"/{rootfs,boot}
  mkdir -p "$ROOTFS_DIR" "$work/boot"
  tar -x --numeric-owner --xattrs --xattrs-include='*' -f "$work/base.tar" -C "$ROOTFS_DIR"
  cp --remove-destination /etc/resolv.conf "$ROOTFS_DIR/etc/resolv.conf"
  make_kernel "$machine" "$work/kernel" "$work"
  run_stage "$REPOSITORY/image/stage-tombolo"
  # The tests read this from the card, as the firmware does.
  echo "root=PARTUUID=$DISK_ID-05 ro" >"$work/boot/cmdline.txt"
  step "the image"
  assemble_image "$ROOTFS_DIR" "$work/boot" "$work" "$name.img"
  cp "$work/vmlinuz" "$name.vmlinuz"
  cp "$work/initrd" "$name.initrd"
  cp "$ROOTFS_DIR/usr/share/tombolo/packages.tsv" "$name.packages.tsv"
  [ "$machine" != raspi3b ] || cp "$work"/kernel/usr/lib/linux-image-*/broadcom/bcm2837-rpi-3-b.dtb "$name.dtb"
  remove_trees "$ROOTFS_DIR"
  rm -f "$work"/{root,boot,config}.img
  step "done: $name.{img,vmlinuz,initrd}"
}

# $1 tar file, $2 packages with commas. Documentation and translations are left out, licences are not.
make_base() {
  mmdebstrap --mode=root --architectures=arm64 --variant=apt --include="$2" --quiet \
    --aptopt='Apt::Install-Recommends "false"' --dpkgopt=force-unsafe-io \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
    --dpkgopt='path-exclude=/usr/lib/udev/hwdb.d/*' \
    --format=tar "$SUITE" "$1.new" \
    "deb $DEBIAN_MIRROR $SUITE main" "deb $DEBIAN_MIRROR $SUITE-updates main" "deb $DEBIAN_SECURITY_MIRROR $SUITE-security main"
  mv "$1.new" "$1"
}
