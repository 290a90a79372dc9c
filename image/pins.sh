# shellcheck shell=bash disable=SC2034
# The sources of the image. pi-gen is cloned by this tag, from PI_GEN_URL if that is set, and refused when the tag points to a
# different commit.
PI_GEN_URL=${PI_GEN_URL:-https://github.com/RPi-Distro/pi-gen}
PI_GEN_TAG=2026-06-18-raspios-trixie-arm64
PI_GEN_COMMIT=ca8aeed0ae300c2a89f55ce9617d5f96a27e99e5
SUITE=trixie
