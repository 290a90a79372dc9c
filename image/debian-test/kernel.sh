# shellcheck shell=bash
# Kernel and initrd for QEMU, beside the image: Debian's kernel, with its modules in the root. The initrd is made without
# running any arm64 program (building a stock one takes minutes under emulation).

# By machine: the kernel's package, and the modules that the initrd loads, in this order with their dependencies; udev and
# systemd load all others from the root.
declare -A KERNEL_PACKAGE=(
  [virt]=linux-image-cloud-arm64
  [raspi3b]=linux-image-arm64
)
declare -A INITRD_MODULES=(
  [virt]='virtio_blk virtio_pci virtio_mmio ext4'
  [raspi3b]='sdhci_iproc bcm2835 mmc_block dwc2 ext4'
)

# Unpacks the kernel and busybox. $1 machine, $2 directory
fetch_kernel() {
  remove_trees "$2"
  mmdebstrap --mode=root --architectures=arm64 --variant=extract --quiet --aptopt='Apt::Install-Recommends "false"' \
    --include="${KERNEL_PACKAGE[$1]},busybox-static" --format=directory "$SUITE" "$2" "deb $DEBIAN_MIRROR $SUITE main" \
    "deb $DEBIAN_MIRROR $SUITE-updates main" "deb $DEBIAN_SECURITY_MIRROR $SUITE-security main"
}

# $1 machine, $2 the directory from fetch_kernel, $3 work directory. Leaves $3/vmlinuz and $3/initrd, and the modules in
# ROOTFS_DIR.
make_kernel() {
  local kernel=$2 initrd=$3/initrd.d version image module file
  image=$(find "$kernel/boot" -name 'vmlinuz-*' | sort -V | tail -n 1)
  version=${image##*/vmlinuz-}
  cp "$image" "$3/vmlinuz"
  rm -rf "$initrd" "$ROOTFS_DIR"/usr/lib/modules/*
  mkdir -p "$initrd"/{bin,dev,proc,sys,root,modules} "$ROOTFS_DIR/usr/lib/modules"
  cp -r "$kernel/usr/lib/modules/$version" "$ROOTFS_DIR/usr/lib/modules/"
  depmod --basedir "$ROOTFS_DIR" "$version"

  # shellcheck disable=SC2086
  for module in ${INITRD_MODULES[$1]}; do
    modprobe --dirname "$ROOTFS_DIR" --set-version "$version" --show-depends "$module"
  done | awk '/^insmod/ && !seen[$2]++ { print $2 }' >"$3/initrd.modules"
  while read -r file; do
    case $file in
      *.xz) xz -dc "$file" >"$initrd/modules/$(basename "$file" .xz)" ;;
      *) cp "$file" "$initrd/modules/" ;;
    esac
    basename "$file" .xz >>"$initrd/modules/order"
  done <"$3/initrd.modules"
  install -m 755 "$REPOSITORY/image/debian-test/init" "$initrd/init"
  install -m 755 "$kernel/usr/bin/busybox" "$initrd/bin/busybox"
  fix_times "$initrd"
  (cd "$initrd" && find . | LC_ALL=C sort | cpio --quiet --create --format=newc --reproducible | gzip -n -1) >"$3/initrd"
}
