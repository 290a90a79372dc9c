# shellcheck shell=bash
# Kernel and initrd for `qemu-system-aarch64 -M virt`, beside the image: Debian's kernel, its modules in the root, and an
# initrd made without running anything of arm64 (a stock one takes minutes under emulation).

# Loaded by the initrd, in this order with what they depend on; everything else udev and systemd load from the root.
INITRD_MODULES=(virtio_blk virtio_pci virtio_mmio ext4)

# $1 work directory; ROOTFS_DIR is a Debian with apt lists. Leaves $1/vmlinuz and $1/initrd.
make_kernel() {
  local work=$1 package version modules file
  rm -rf "$work/kernel" "$work/initrd.d"
  mkdir -p "$work/kernel" "$work/initrd.d"/{bin,dev,proc,sys,root,modules}
  on_chroot -c 'apt-get update -qq'
  package=$(on_chroot -c 'apt-cache depends linux-image-cloud-arm64' | sed -n 's/^ *Depends: \(linux-image-[0-9][^ ]*\).*/\1/p' | head -n 1)
  on_chroot -c "cd /var/tmp && apt-get download -qq $package busybox-static:arm64"
  dpkg-deb --extract "$ROOTFS_DIR"/var/tmp/linux-image-*.deb "$work/kernel"
  dpkg-deb --fsys-tarfile "$ROOTFS_DIR"/var/tmp/busybox-static_*.deb | tar -x -O --wildcards '*/bin/busybox' >"$work/initrd.d/bin/busybox"
  rm -f "$ROOTFS_DIR"/var/tmp/*.deb
  [ -d "$work/kernel/usr/lib/modules" ] || { mkdir -p "$work/kernel/usr/lib" && mv "$work/kernel/lib/modules" "$work/kernel/usr/lib/"; }
  version=$(ls "$work/kernel/usr/lib/modules")
  cp "$work/kernel/boot/vmlinuz-$version" "$work/vmlinuz"
  mkdir -p "$ROOTFS_DIR/usr/lib/modules"
  cp -r "$work/kernel/usr/lib/modules/$version" "$ROOTFS_DIR/usr/lib/modules/"
  depmod --basedir "$ROOTFS_DIR/usr" "$version" 2>/dev/null || depmod --basedir "$ROOTFS_DIR" "$version"

  modules=$(for module in "${INITRD_MODULES[@]}"; do
    modprobe --dirname "$ROOTFS_DIR/usr" --set-version "$version" --show-depends "$module" 2>/dev/null ||
      modprobe --dirname "$ROOTFS_DIR" --set-version "$version" --show-depends "$module" 2>/dev/null || true
  done | awk '/^insmod/ && !seen[$2]++ { print $2 }')
  for file in $modules; do
    case $file in
      *.xz) xz -dc "$file" >"$work/initrd.d/modules/$(basename "$file" .xz)" ;;
      *) cp "$file" "$work/initrd.d/modules/" ;;
    esac
    basename "$file" .xz >>"$work/initrd.d/modules/order"
  done
  install -m 755 "$REPOSITORY/image/debian-test/init" "$work/initrd.d/init"
  chmod 755 "$work/initrd.d/bin/busybox"
  (cd "$work/initrd.d" && find . | LC_ALL=C sort | cpio --quiet --create --format=newc | gzip -n -1) >"$work/initrd"
}
