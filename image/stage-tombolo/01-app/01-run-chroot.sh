# It must run here, or it will not run there: the program with its libraries, our code, the configuration that the
# device starts with.
export NODE_ENV=production NODE_COMPILE_CACHE=/usr/lib/tombolo/compile-cache QEMU_CPU=cortex-a72
install -d -o tombolo -g tombolo "$NODE_COMPILE_CACHE"
cd /usr/lib/tombolo || exit
bin/node src/main.ts --check --config /usr/share/tombolo/config.json
# Types stripped and code compiled once, as the user that it runs as (the cache keeps users apart). V8 tells processors
# apart by their instructions: this is for the Raspberry Pi 3 and 4 and QEMU's Cortex-A72; a Pi 5 makes its own.
setpriv --reuid=tombolo --regid=tombolo --clear-groups bin/node tools/compile.ts
setpriv --reuid=tombolo --regid=tombolo --clear-groups bin/node --eval 'import("/usr/lib/tombolo/firmware/import-settings.ts")'
[ -n "$(find "$NODE_COMPILE_CACHE" -path "*-$(id -u tombolo)/*" -type f -print -quit)" ]
