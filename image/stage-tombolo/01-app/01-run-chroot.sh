# Checks that it runs here, because otherwise it will not run on the device: the program with its libraries, our code, and the
# configuration with which the device starts.
export NODE_ENV=production NODE_COMPILE_CACHE=/usr/lib/tombolo/compile-cache QEMU_CPU=cortex-a72
install -d -o tombolo -g tombolo "$NODE_COMPILE_CACHE"
cd /usr/lib/tombolo || exit
bin/node src/main.ts --check --config /usr/share/tombolo/config.json
# Strips types and compiles code once, as the user that runs it (the cache is separate for each user). V8 distinguishes
# processors by their instructions: this is for the Raspberry Pi 3 and 4 and QEMU's Cortex-A72; a Pi 5 makes its own cache.
setpriv --reuid=tombolo --regid=tombolo --clear-groups bin/node tools/compile.ts
setpriv --reuid=tombolo --regid=tombolo --clear-groups bin/node --eval 'import("/usr/lib/tombolo/firmware/import-settings.ts")'
[ -n "$(find "$NODE_COMPILE_CACHE" -path "*-$(id -u tombolo)/*" -type f -print -quit)" ]
