# It must run here, or it will not run there: the program with its libraries, our code, the configuration that the
# device starts with.
/usr/lib/tombolo/bin/node /usr/lib/tombolo/src/main.ts --check --config /usr/share/tombolo/config.json
# Types stripped and code compiled once, as the user that it runs as (the cache keeps users apart). V8 tells processors
# apart by their instructions: this is for the Raspberry Pi 3 and 4 and QEMU's Cortex-A72; a Pi 5 makes its own.
install -d -o tombolo -g tombolo /usr/lib/tombolo/compile-cache
QEMU_CPU=cortex-a72 NODE_ENV=production NODE_COMPILE_CACHE=/usr/lib/tombolo/compile-cache \
  setpriv --reuid=tombolo --regid=tombolo --clear-groups /usr/lib/tombolo/bin/node /usr/lib/tombolo/tools/compile.ts
[ -n "$(find /usr/lib/tombolo/compile-cache -type f -print -quit)" ]
