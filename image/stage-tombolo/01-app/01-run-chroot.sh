# It must run here, or it will not run there: the program with its libraries, our code, the configuration that the
# device starts with.
/usr/lib/tombolo/bin/node /usr/lib/tombolo/src/main.ts --check --config /usr/share/tombolo/config.json
