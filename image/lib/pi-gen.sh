# shellcheck shell=bash
# The image for the Raspberry Pi: unchanged pi-gen at a pinned commit, with our stage and our export.

# $1 directory. Refuses anything but the pinned commit.
fetch_pi_gen() {
  local found
  if [ ! -d "$1/.git" ]; then
    git -c advice.detachedHead=false clone --quiet --depth 1 --branch "$PI_GEN_TAG" "$PI_GEN_URL" "$1"
  fi
  found=$(git -C "$1" rev-parse HEAD)
  [ "$found" = "$PI_GEN_COMMIT" ] || fail "pi-gen $PI_GEN_TAG is commit $found, expected $PI_GEN_COMMIT"
  git -C "$1" checkout --quiet -- .
}

need_pi_gen_host() {
  need_commands quilt:quilt parted:parted qemu-aarch64:qemu-user debootstrap:debootstrap zerofree:zerofree zip:zip \
    mkdosfs:dosfstools mke2fs:e2fsprogs capsh:libcap2-bin bsdtar:libarchive-tools rsync:rsync xz:xz-utils curl:curl \
    xxd:xxd file:file git:git lsmod:kmod bc:bc gpg:gpg pigz:pigz arch-test:arch-test mcopy:mtools sfdisk:fdisk npm:npm
  need_arm64
}

# $1 pi-gen, $2 work directory, $3 output directory
run_pi_gen() {
  # Our stage removes pi-gen's first user again; no account has a password.
  (
    cd "$1" || exit
    # Not "bash build.sh": that would lose the -e of its first line.
    env IMG_NAME=tombolo RELEASE="$SUITE" WORK_DIR="$2" DEPLOY_DIR="$3" DEPLOY_COMPRESSION=none \
      STAGE_LIST="$1/stage0 $1/stage1 $REPOSITORY/image/stage-tombolo" EXPORT_CONFIG_DIR="$REPOSITORY/image/export" \
      ENABLE_SSH=0 ENABLE_CLOUD_INIT=0 FIRST_USER_NAME=pi TARGET_HOSTNAME=tombolo TIMEZONE_DEFAULT=Etc/UTC \
      LOCALE_DEFAULT=C.UTF-8 IMG_DATE="$(date --utc --date="@$SOURCE_DATE_EPOCH" +%F)" ./build.sh
  )
}

build_pi() { # $1 work directory, $2 output directory
  need_pi_gen_host
  mkdir -p "$1"
  fetch_pi_gen "$1/pi-gen"
  run_pi_gen "$1/pi-gen" "$1/work" "$2"
}

# The same with stand-ins for the Raspberry Pi archive: empty packages with the names that pi-gen installs. The result boots
# nowhere; it shows that pi-gen, our stage and our export still fit together.
build_pi_standin() { # $1 work directory, $2 output directory
  local server
  need_pi_gen_host
  need_commands apt-ftparchive:apt-utils python3:python3
  mkdir -p "$1"
  fetch_pi_gen "$1/pi-gen"
  "$REPOSITORY/image/pi/standin-archive.sh" "$1/archive"
  python3 -m http.server --bind 127.0.0.1 --directory "$1/archive" 8065 >/dev/null 2>&1 &
  server=$!
  # shellcheck disable=SC2064
  trap "kill $server" EXIT
  printf 'Types: deb\nURIs: http://127.0.0.1:8065/\nSuites: %s\nComponents: main\nTrusted: yes\n' "$SUITE" \
    >"$1/pi-gen/stage0/00-configure-apt/files/raspi.sources"
  # pi-gen adds armhf, but installs nothing of it: this test need not fetch its index.
  sed -i 's/^Components:/Architectures: arm64\n&/' "$1/pi-gen/stage0/00-configure-apt/files/debian.sources"
  run_pi_gen "$1/pi-gen" "$1/work" "$2"
}

# Builds in a container with all requirements; it uses the host's binfmt_misc, hence --privileged.
build_in_docker() { # $1 output directory
  command -v docker >/dev/null || fail "docker is not installed"
  docker build --quiet --tag tombolo-image-builder - <<'END'
FROM debian:trixie
RUN apt-get update && apt-get install -y --no-install-recommends git npm ca-certificates quilt parted qemu-user-binfmt \
  debootstrap zerofree zip dosfstools e2fsprogs libcap2-bin libarchive-tools rsync xz-utils curl xxd file kmod bc gpg \
  pigz arch-test mtools fdisk libatomic1 && rm -rf /var/lib/apt/lists/*
END
  docker run --rm --privileged --volume "$REPOSITORY:/src:ro" --volume "$1:/out" --env SOURCE_DATE_EPOCH --env PUBLISHED_AT="$1" \
    tombolo-image-builder /bin/bash -ec 'git config --global --add safe.directory /src; mkdir /work; cd /src; ./build-image.sh --work /work --out /out'
}
