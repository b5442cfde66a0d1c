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
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}"
}

# The same for packages that not every release of Debian has: what apt cannot install is left out.
install_known_packages() {
  local entry command package why
  for entry in "$@"; do
    IFS=: read -r command package why <<<"$entry"
    command -v "$command" >/dev/null && continue
    if ! apt-cache show "$package" >/dev/null 2>&1; then
      say "apt knows no $package here: its tests are skipped."
    elif ! (install_packages "$entry"); then
      say "apt could not install $package: its tests are skipped."
    fi
  done
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@" </dev/null >&2
  else
    sudo -n true 2>/dev/null || die "this needs root: $*"
    sudo "$@" </dev/null >&2
  fi
}
