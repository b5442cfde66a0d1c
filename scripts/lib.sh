# Shared by the scripts: set-up from a bare checkout. Sourced, with the repository as working directory.

say() { printf '%s\n' "$*" >&2; }

die() {
  say "error: $*"
  exit 1
}

# Node 20 or newer starts npm; the project itself runs on the Node 24 that npm ci puts in node_modules.
require_node() {
  command -v node >/dev/null && command -v npm >/dev/null ||
    die "Node 20 or newer and npm are needed: apt-get install nodejs npm, or see https://nodejs.org"
  local major
  major=$(node -p 'process.versions.node.split(".")[0]')
  [ "$major" -ge 20 ] || die "Node $(node --version) is too old: 20 or newer is needed"
}

# The hidden lock inside node_modules is written last, so a half-finished install is seen and repeated.
install_modules() {
  local installed=node_modules/.package-lock.json
  if [ -f "$installed" ] && [ ! package-lock.json -nt "$installed" ]; then return; fi
  say "Installing what package-lock.json names into node_modules (npm ci): the libraries, the tools and Node 24."
  npm ci --no-progress --loglevel=error </dev/null >&2
  touch "$installed"
}

# install_packages <command>:<Debian package>:<why> … installs the packages of missing commands with apt.
install_packages() {
  local entry command package why missing=()
  for entry in "$@"; do
    IFS=: read -r command package why <<<"$entry"
    command -v "$command" >/dev/null && continue
    say "Installing $package with apt: $why."
    missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  local root=()
  if [ "$(id -u)" -ne 0 ]; then
    sudo -n true 2>/dev/null || die "this needs root: apt-get install ${missing[*]}"
    root=(sudo)
  fi
  "${root[@]}" apt-get update -qq </dev/null >&2
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}" </dev/null >&2
}
