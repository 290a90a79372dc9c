# shellcheck shell=bash
# The published files: the compressed image, its digest, its package list, and the entry for Raspberry Pi Imager.

# $1 image, $2 package list, $3 directory, which may have another path on a container's host: $PUBLISHED_AT
publish_image() {
  local image=$1 out=$3 name
  name=$(basename "$image" .img)
  mkdir -p "$out"
  # A fixed block size, independent of the number of threads, so that the bytes are the same on every machine.
  xz --compress --keep --stdout --threads=0 --block-size=16MiB -6 "$image" >"$out/$name.img.xz"
  cp "$2" "$out/$name.packages.tsv"
  (cd "$out" && sha256sum "$name.img.xz" >"$name.img.xz.sha256")
  imager_entry "$image" "$out/$name.img.xz" "file://${PUBLISHED_AT:-$out}/$name.img.xz" >"$out/$name.imager.json"
  echo "build-image: $out/$name.img.xz"
}

# The repository file for Raspberry Pi Imager (`rpi-imager --repo FILE`). $1 image, $2 compressed image, $3 URL
imager_entry() {
  cat <<END
{
  "os_list": [
    {
      "name": "Tombolo",
      "description": "Joins IPv6-only servers to the IPv4 Internet, both ways",
      "icon": "",
      "url": "$3",
      "extract_size": $(stat --format %s "$1"),
      "extract_sha256": "$(sha256sum "$1" | cut -d ' ' -f 1)",
      "image_download_size": $(stat --format %s "$2"),
      "image_download_sha256": "$(sha256sum "$2" | cut -d ' ' -f 1)",
      "release_date": "$(date --utc --date="@$SOURCE_DATE_EPOCH" +%F)",
      "devices": ["pi3-64bit", "pi4-64bit", "pi5-64bit"],
      "init_format": "rpi-preseed"
    }
  ]
}
END
}
