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
    if ! apt_has "$package"; then
      say "apt knows no $package here: its tests are skipped."
    elif ! (install_packages "$entry"); then
      say "apt could not install $package: its tests are skipped."
    fi
  done
}

apt_has() { [[ $(apt-cache policy "$1" 2>/dev/null) == *'Candidate: '[!\(]* ]]; }

# know_backports_for <Debian package>: where apt does not know it, lets it know the backports of this release of Debian
# too, from where it has its packages already. Nothing else is taken from there. Fails silently.
know_backports_for() {
  local codename site source
  codename=$(. /etc/os-release 2>/dev/null && [ "${ID:-}" = debian ] && printf %s "${VERSION_CODENAME:-}") || return 0
  as_root apt-get update -qq || return 0
  ! apt_has "$1" || return 0
  site=$(apt-get indextargets --format '$(SITE)' "Codename: $codename" 2>/dev/null | head -n 1)
  [ -n "$site" ] || return 0
  source=/etc/apt/sources.list.d/$codename-backports.list
  printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s-backports main\n' "$site" "$codename" |
    as_root_writes "$source"
  as_root apt-get update -qq || as_root rm -f "$source"
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@" </dev/null >&2
  else
    sudo -n true 2>/dev/null || die "this needs root: $*"
    sudo "$@" </dev/null >&2
  fi
}

# Writes standard input to a file that belongs to root.
as_root_writes() {
  if [ "$(id -u)" -eq 0 ]; then cat >"$1"; else sudo tee "$1" >/dev/null; fi
}
