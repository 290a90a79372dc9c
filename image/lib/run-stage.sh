# shellcheck shell=bash
# Runs a stage as pi-gen does, on a root directory that pi-gen did not make: packages, NN-run.sh with ROOTFS_DIR and on_chroot,
# NN-run-chroot.sh inside. So both builders use the same stage, unchanged.

# Runs commands from standard input, or one command, in the root directory, with the kernel file systems that they need.
# shellcheck disable=SC2119,SC2120
on_chroot() {
  (
    set -e
    trap leave_chroot EXIT
    mount -t proc proc "$ROOTFS_DIR/proc"
    mount --bind /dev "$ROOTFS_DIR/dev"
    mount --bind /dev/pts "$ROOTFS_DIR/dev/pts"
    mount -t sysfs -o ro sysfs "$ROOTFS_DIR/sys"
    mount -t tmpfs tmpfs "$ROOTFS_DIR/run"
    LC_ALL=C.UTF-8 chroot "$ROOTFS_DIR" /bin/bash -e "$@"
  )
}
leave_chroot() {
  local at
  for at in run sys dev/pts dev proc; do umount "$ROOTFS_DIR/$at" 2>/dev/null || true; done
}
export -f on_chroot leave_chroot

packages_of() { # the packages files of a stage, comments removed
  sed -e 's/#.*//' "$1"/*/*-packages-nr | tr -s ' \n' '\n' | sed '/^$/d'
}

run_stage() { # $1 stage directory; ROOTFS_DIR is set; packages are already there (mmdebstrap installs them)
  local sub step
  for sub in "$1"/*/; do
    for step in "$sub"[0-9][0-9]-*; do
      case $step in
        *-run.sh)
          echo "== ${step#"$1"/}"
          (cd "$sub" && "./${step##*/}")
          ;;
        *-run-chroot.sh)
          echo "== ${step#"$1"/}"
          # shellcheck disable=SC2119
          on_chroot <"$step"
          ;;
      esac
    done
  done
}
